/** How the origin serves the web UI: its files, its pages, and nothing else. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import express from 'express';
import type { Database } from '../../../src/origin/database.ts';
import { createUi } from '../../../src/origin/web/ui.ts';
import { startTestOrigin } from '../../setup/origin.ts';
import { rawRequest } from '../../setup/raw-request.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';

const origin = await startTestOrigin();
const assets = readdirSync(join(import.meta.dirname, '../../../dist/ui/assets'));
const asset = (name: RegExp) => `/assets/${assets.find((file) => name.test(file))}`;
const browser = ['Accept: text/html,application/xhtml+xml,*/*;q=0.8'];
const get = (path: string, headers: readonly string[] = []) => rawRequest(origin.url, `GET ${path}`, headers);

describe('a page of the web UI', () => {
  for (const path of [
    '/',
    '/sign-in',
    '/getting-started',
    '/repositories',
    '/repositories/acme/web/tags',
    '/users/jane/settings',
    '/organizations/acme/teams/web',
    '/admin/content-caches',
    '/repositories?query=web',
  ]) {
    it(`${path} is the one document, whatever is accepted`, async () => {
      for (const headers of [browser, []]) {
        const answer = await get(path, headers);
        assert.equal(answer.status, 200);
        assert.match(answer.body, /<div id="root"><\/div>/);
        assert.equal(answer.headers['cache-control'], 'no-store');
      }
    });
  }

  it('lets run its own scripts only, asks nobody but this origin, and is framed by nobody (B13)', async () => {
    const { headers } = await get('/');
    const policy = Object.fromEntries(
      (headers['content-security-policy'] ?? '').split(';').map((directive) => {
        const [name = '', ...values] = directive.trim().split(' ');
        return [name, values.join(' ')];
      }),
    );
    assert.deepEqual(policy, {
      'default-src': "'none'",
      'script-src': "'self'",
      'style-src': "'self'",
      'img-src': "'self' data:",
      'connect-src': "'self'",
      'font-src': "'self'",
      'form-action': "'self'",
      'base-uri': "'none'",
      'frame-ancestors': "'none'",
    });
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['x-powered-by'], undefined);
  });

  it('has nothing inline, which the policy would refuse', async () => {
    const { body } = await get('/');
    assert.doesNotMatch(body, /<script(?![^>]* src=)|<style| style=| on[a-z]+=/);
  });

  it('HEAD says the same without the document', async () => {
    const answer = await rawRequest(origin.url, 'HEAD /repositories');
    assert.equal(answer.status, 200);
    assert.equal(answer.body, '');
  });

  it('an address that is none is shown to a browser as one, and told to a program', async () => {
    assert.equal((await get('/nothing/here', browser)).status, 404);
    assert.match((await get('/nothing/here', browser)).body, /<div id="root">/);
    const answer = await get('/nothing/here');
    assert.equal(answer.status, 404);
    assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
  });

  it('takes no place of the other doors', async () => {
    for (const path of ['/api/v0/nothing', '/docs/nothing', '/.well-known/nothing']) {
      const answer = await get(path, browser);
      assert.doesNotMatch(answer.body, /<div id="root">/, path);
    }
    assert.equal((await get('/_ping', browser)).status, 200);
    assert.equal((await get('/docs/api', browser)).status, 308);
    assert.equal((await rawRequest(origin.url, 'POST /repositories', browser)).status, 404);
  });
});

describe('the files of the web UI', () => {
  it('are kept for ever, since their names change with them', async () => {
    const script = await get(asset(/^index-.*\.js$/));
    assert.equal(script.status, 200);
    assert.equal(script.headers['content-type'], 'text/javascript; charset=utf-8');
    assert.equal(script.headers['cache-control'], 'public, max-age=31536000, immutable');
    assert.equal((await get(asset(/\.woff2$/))).headers['content-type'], 'font/woff2');
    assert.equal((await get('/favicon.svg')).headers['cache-control'], 'no-cache');
  });

  it('come as they were compressed when they were built', async () => {
    const path = `${origin.url}${asset(/^index-.*\.js$/)}`;
    const plain = Buffer.from(
      await (await fetch(path, { headers: { 'Accept-Encoding': 'identity' } })).arrayBuffer(),
    );
    const raw = async (encoding: string) => {
      const answer = await get(new URL(path).pathname, [`Accept-Encoding: ${encoding}`]);
      assert.equal(answer.headers.vary, 'Accept-Encoding');
      return { encoding: answer.headers['content-encoding'], bytes: Buffer.from(answer.body, 'latin1') };
    };
    const br = await raw('gzip, deflate, br');
    assert.equal(br.encoding, 'br');
    assert.deepEqual(brotliDecompressSync(br.bytes), plain);
    const gzip = await raw('gzip');
    assert.equal(gzip.encoding, 'gzip');
    assert.deepEqual(gunzipSync(gzip.bytes), plain);
    assert.equal((await raw('br;q=0, gzip;q=0')).encoding, undefined);
  });

  for (const path of [
    '/index.html',
    '/assets',
    '/assets/',
    '/assets/nothing.js',
    '/assets/..%2findex.html',
    '/assets/..%2f..%2f..%2fpackage.json',
    '/assets/../../../package.json',
    '/..%2f..%2fetc%2fpasswd',
    '//etc/passwd',
    '/assets/%2e%2e/index.html',
    '/.git/config',
    '/ui-built-from',
    `${asset(/^index-.*\.js$/)}.map`,
    `${asset(/^index-.*\.js$/)}.br`,
  ]) {
    it(`${path.replace(/-[\w-]{8}\./, '-….')} is not among them (I09)`, async () => {
      assert.equal((await get(path)).status, 404);
      const answer = await get(path, browser);
      assert.equal(answer.status, 404);
    });
  }
});

describe('the worker that times how far caches are', () => {
  it('may reach the caches that it names, and no others', async () => {
    const register = async (name: string, host: string) =>
      ((await (await origin.api('POST', '/content_caches', { name, host })).json()) as { id: string }).id;
    const near = await register('near', 'https://near.example.com');
    await register('far', 'http://far.example.com:5000');
    const worker = asset(/^distance-worker-/);
    const policy = async (query: string) => {
      const answer = await get(`${worker}${query}`);
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['cache-control'], 'no-store');
      return answer.headers['content-security-policy'];
    };
    assert.equal(await policy(''), "default-src 'none'; connect-src 'none'");
    assert.equal(await policy('?cache=nothing'), "default-src 'none'; connect-src 'none'");
    assert.equal(await policy(`?cache=${near}`), "default-src 'none'; connect-src https://near.example.com");
  });
});

describe('an origin whose UI was not built', () => {
  it('says how', async () => {
    const app = express();
    app.use(createUi({ database: {} as Database, directory: await tempDirectory() }));
    const server = createServer(app).listen(0, '127.0.0.1');
    after(() => server.close());
    await new Promise((done) => server.once('listening', done));
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    assert.equal(answer.status, 503);
    assert.match(await answer.text(), /npm run build/);
  });
});
