/** The files of the API docs: what is served under /docs/api, and how. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startApi } from './api.ts';

const api = await startApi();

describe('the files of the API docs', () => {
  it('/docs/api leads to the page, without the query that it was called with', async () => {
    const answer = await fetch(`${api.origin.url}/docs/api?url=https://evil.example`, { redirect: 'manual' });
    assert.equal(answer.status, 308);
    assert.equal(answer.headers.get('location'), '/docs/api/');
  });

  it('the contract is beside the page, as JSON and as it was written', async () => {
    const json = await fetch(`${api.origin.url}/docs/api/openapi.json`);
    assert.equal(((await json.json()) as { openapi: string }).openapi, '3.1.0');
    const yaml = await fetch(`${api.origin.url}/docs/api/openapi.yaml`);
    assert.match(await yaml.text(), /^openapi: 3\.1\.0\n/);
  });

  it('the page runs no script but its own and is framed by nobody', async () => {
    const page = await fetch(`${api.origin.url}/docs/api/`);
    const policy = page.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /script-src 'self'(;|$)/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(await page.text(), /<script(?![^>]* src="\.\/)/);
  });

  for (const file of [
    'index.html',
    'swagger-initializer.js',
    'oauth2-redirect.html',
    'swagger-ui-bundle.js.map',
    'package.json',
    '..%2fpackage.json',
    '..%2f..%2f..%2fetc%2fpasswd',
    'nothing',
  ]) {
    it(`${file} is not among them (I09)`, async () => {
      const answer = await api.ask('GET', `/docs/api/${file}`, { as: 'nobody' });
      assert.equal(answer.status, 404);
    });
  }
});
