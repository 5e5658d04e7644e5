/** "Try it out" works on every operation of the API docs: in a real browser, with what the page itself fills in. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { loadContract } from '../../src/origin/api/openapi.ts';
import { authorize, execute } from '../setup/api-docs-page.ts';
import { browserMissing, openPage, startBrowser } from '../setup/browser.ts';
import { pushImage, startTestOrigin } from '../setup/origin.ts';

const { document } = loadContract();
const methods = ['get', 'put', 'post', 'patch', 'delete'] as const;
const operations = Object.values(document.paths ?? {}).flatMap((item) =>
  methods.flatMap((method) => {
    const operation = item[method];
    return operation === undefined ? [] : [{ method, id: operation.operationId ?? '', operation }];
  }),
);
/** What is taken away is taken away last, and what it was made of before that. */
const ordered = [...operations].sort((one, other) => rank(one) - rank(other));

function rank({ method, id }: { method: string; id: string }): number {
  // Without a session there is none to read or end.
  if (method === 'delete') return id === 'DeleteAccount' ? 3 : 2;
  return method === 'get' ? 0 : 1;
}

let browser: Browser;
before(async () => {
  if (browserMissing === false) browser = await startBrowser();
});
after(() => browser?.close());

it('every operation answers what the contract says, tried with the examples that it gives', {
  skip: browserMissing,
}, async () => {
  const origin = await startTestOrigin();
  // What the examples of the contract speak of.
  await origin.api('POST', '/accounts', { name: 'jane', password: 'correct horse battery' });
  await origin.api('POST', '/accounts', { name: 'acme', isOrg: true });
  await origin.api('PUT', '/accounts/acme/members/jane', {});
  await origin.api('POST', '/accounts/acme/teams', { name: 'web' });
  await pushImage(origin, 'acme/web', '1.4', [Buffer.from('layer')]);

  const { page, complaints } = await openPage(browser, origin.url);
  page.setDefaultTimeout(60_000);
  await page.goto(`${origin.url}/docs/api/`);
  await page.locator('.opblock').first().waitFor();
  await authorize(page, 'admin', origin.adminPassword);
  const failures: string[] = [];
  for (const { id, operation } of ordered) {
    const { status, body } = await execute(page, id);
    const documented = status in (operation.responses ?? {});
    // 404 and 409: the example's id is nobody's, or its name is taken. Anything else would be an example that does not work.
    const works = /^(?:2\d\d|404|409)$/.test(status) || (/Session$/.test(id) && status === '401');
    if (!documented || !works) failures.push(`${id}: ${status} ${body.slice(0, 200)}`);
  }
  assert.deepEqual(failures, []);
  assert.deepEqual(complaints, []);
  await page.context().close();
});
