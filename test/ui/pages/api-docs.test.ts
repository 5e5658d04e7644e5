/** The API docs in a real browser, as an admin uses them. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { startApi } from '../../origin/api/api.ts';
import { authorize, authorizeByToken, execute, openDocs } from '../../setup/api-docs-page.ts';
import { browserMissing, openPage, startBrowser } from '../../setup/browser.ts';
import { basic } from '../../setup/origin.ts';

const api = await startApi();

describe('the API docs in Chromium', { skip: browserMissing }, () => {
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser?.close());

  it('an admin signs in, registers a cache, sees it in the list and chooses it', async () => {
    const { page, complaints } = await openPage(browser, api.origin.url);
    await openDocs(page, api.origin.url);

    const list = await execute(page, 'ListContentCaches');
    assert.equal(list.status, 401);

    await authorize(page, 'admin', api.origin.adminPassword);
    const created = await execute(page, 'CreateContentCache', {
      body: '{"name":"region-us","host":"http://203.0.113.7:5000"}',
    });
    assert.equal(created.status, 201, created.body);
    const { id } = JSON.parse(created.body) as { id: string };

    const listed = await execute(page, 'ListContentCaches');
    assert.equal(listed.status, 200);
    const [{ id: listedId, name, host }, ...more] = JSON.parse(listed.body);
    assert.deepEqual([listedId, name, host], [id, 'region-us', 'http://203.0.113.7:5000']);
    assert.deepEqual(more, []);

    const chosen = await execute(page, 'UpdateUserSettings', {
      parameters: { username: 'admin' },
      body: JSON.stringify({ contentCacheUUID: id }),
    });
    assert.equal(chosen.status, 200, chosen.body);
    assert.equal(JSON.parse(chosen.body).contentCacheUUID, id);
    assert.deepEqual(complaints, []);

    const kept = await page.evaluate(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])',
    );
    assert.equal(kept, '[{},{},""]', 'the browser keeps nothing of the password');
    await page.context().close();
  });

  it('who is signed in to the web UI tries things out as themselves', async () => {
    const { page, complaints } = await openPage(browser, api.origin.url);
    await openDocs(page, api.origin.url);
    await page.evaluate(
      (body) =>
        fetch('/api/v0/session', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body }),
      JSON.stringify({ username: 'admin', password: api.origin.adminPassword }),
    );
    const who = await execute(page, 'GetSession');
    assert.equal(who.status, 200, who.body);
    const created = await execute(page, 'CreateContentCache', {
      body: '{"name":"by-session","host":"http://203.0.113.8:5000"}',
    });
    assert.equal(created.status, 201, created.body);
    assert.equal(
      api.look("select door from events where object_name = 'by-session'"),
      'web',
      'the trail says which way it was done',
    );
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  it('an access token does for the password, and a token of the token service for both', async () => {
    const { page, complaints } = await openPage(browser, api.origin.url);
    const made = await api.ask('POST', '/api/v0/api_tokens?username=ann', { body: { tokenLabel: 'docs' } });
    await openDocs(page, api.origin.url);
    await authorize(page, 'ann', made.body.token);
    assert.equal((await execute(page, 'GetVersion')).status, 200);

    await openDocs(page, api.origin.url);
    assert.equal((await execute(page, 'GetVersion')).status, 401, 'nothing is kept over a reload');
    const issued = await fetch(`${api.origin.url}/auth/token`, {
      headers: { Authorization: basic(api.credentials('bob')) },
    });
    await authorizeByToken(page, ((await issued.json()) as { token: string }).token);
    assert.equal((await execute(page, 'GetVersion')).status, 200);
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  it('an operation has an address of its own', async () => {
    const { page, complaints } = await openPage(browser, api.origin.url);
    await page.goto(`${api.origin.url}/docs/api/#/meta/GetVersion`);
    await page.locator('#operations-meta-GetVersion .try-out__btn').waitFor();
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  it('the page fits a phone, and is dark where the web UI is', async () => {
    const phone = { viewport: { width: 360, height: 780 }, isMobile: true, colorScheme: 'dark' } as const;
    const { page, complaints } = await openPage(browser, api.origin.url, phone);
    await openDocs(page, api.origin.url);
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 360);
    const isDark = () => page.evaluate("document.documentElement.classList.contains('dark-mode')");
    assert.equal(await isDark(), true);
    await page.evaluate("localStorage.setItem('theme', 'light')");
    await page.reload();
    assert.equal(await isDark(), false);
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  it('the page shows its own contract, whatever its address says (B10)', async () => {
    const { page, complaints, requested } = await openPage(browser, api.origin.url);
    await page.goto(`${api.origin.url}/docs/api/?url=/evil.json&configUrl=/evil.json&urls.primaryName=evil`);
    await page.locator('.opblock-tag').first().waitFor();
    assert.match(await page.locator('.info .title').innerText(), /^DTR management API/);
    assert.deepEqual(
      requested.filter((url) => new URL(url).pathname.includes('evil')),
      [],
    );
    assert.deepEqual(complaints, []);
    await page.context().close();
  });
});
