/** Signing in and out in a browser, and choosing a content cache, against a real origin. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { browserMissing, openPage, startBrowser } from '../../setup/browser.ts';
import { startTestOrigin } from '../../setup/origin.ts';

const origin = await startTestOrigin();

describe('signing in to the web UI', { skip: browserMissing }, () => {
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser?.close());

  it('leads to the page that was asked for, and nothing is kept that the browser could leak', async () => {
    const { page, complaints } = await openPage(browser, origin.url);
    await page.goto(`${origin.url}/admin/content-caches`);
    await page.waitForURL('**/sign-in?next=%2Fadmin%2Fcontent-caches');
    await signIn(page, 'admin', 'wrong');
    await page.getByRole('alert').getByText('The user name or the password is wrong.').waitFor();
    await signIn(page, 'admin', origin.adminPassword);
    await page.getByRole('heading', { name: 'Content caches', level: 1 }).waitFor();
    assert.equal(new URL(page.url()).pathname, '/admin/content-caches');
    const kept = (await page.evaluate('JSON.stringify([{...localStorage},{...sessionStorage}])')) as string;
    assert.ok(!kept.includes(origin.adminPassword));
    assert.equal(await page.evaluate('document.cookie'), '', 'scripts cannot read the session');
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  it('goes nowhere else, whatever the address says (B14)', async () => {
    const { page, complaints } = await openPage(browser, origin.url);
    await page.goto(`${origin.url}/sign-in?next=//evil.example/`);
    await signIn(page, 'admin', origin.adminPassword);
    await page.getByRole('button', { name: 'Menu of admin' }).waitFor();
    assert.equal(new URL(page.url()).origin, origin.url);
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  it('the menu leads to the profile and the API docs, changes the theme, and signs out', async () => {
    const { page, complaints } = await openPage(browser, origin.url);
    await page.goto(`${origin.url}/sign-in`);
    await signIn(page, 'admin', origin.adminPassword);
    const menu = page.getByRole('button', { name: 'Menu of admin' });
    await menu.click();
    await page.getByRole('menuitemradio', { name: 'Dark' }).click();
    assert.equal(await page.evaluate('document.documentElement.dataset.theme'), 'dark');
    await page.getByRole('menuitem', { name: 'Profile' }).click();
    await page.waitForURL('**/users/admin/settings');
    await menu.click();
    await page.getByRole('menuitem', { name: 'API docs' }).click();
    await page.waitForURL('**/docs/api/', { waitUntil: 'commit' });
    await page.goBack();
    await menu.click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.goto(`${origin.url}/users/admin/settings`);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    assert.deepEqual(complaints, []);
    await page.context().close();
  });

  it('a cache is chosen in the Settings tab of the profile', async () => {
    const created = await origin.api('POST', '/content_caches', {
      name: 'region-us',
      host: 'http://127.0.0.1:9',
    });
    const { id } = (await created.json()) as { id: string };
    const { page, complaints } = await openPage(browser, origin.url, { mayAsk: ['http://127.0.0.1:9'] });
    await page.goto(`${origin.url}/users/admin/settings`);
    await signIn(page, 'admin', origin.adminPassword);
    await page.getByRole('radio', { name: 'region-us' }).check();
    await page.getByRole('button', { name: 'Save changes' }).click();
    await page.getByRole('status').getByText('Saved: the next pull follows it').waitFor();
    const settings = (await (await origin.api('GET', '/accounts/admin/settings')).json()) as {
      contentCacheUUID: string;
    };
    assert.equal(settings.contentCacheUUID, id);
    assert.deepEqual(complaints, []);
    await page.context().close();
  });
});

async function signIn(page: Page, name: string, password: string): Promise<void> {
  await page.getByLabel('User name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}
