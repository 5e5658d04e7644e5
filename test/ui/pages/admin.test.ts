/** What system admins do in the web UI. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { browserMissing, startBrowser } from '../../setup/browser.ts';
import { startTestCache } from '../../setup/cache.ts';
import { freePort } from '../../setup/free-port.ts';
import { startTestOrigin } from '../../setup/origin.ts';
import { ask, closeWell, confirmByName, openSignedIn } from './setup.ts';

const origin = await startTestOrigin({ probeIntervalMs: 1_000 });
const cache = await startTestCache({ origin: origin.url });
const nobody = `http://127.0.0.1:${await freePort()}`;

describe('the pages of admins', { skip: browserMissing }, () => {
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser?.close());

  it('a content cache is looked at when it is added: what is wrong is said in words, and corrected in place', async () => {
    const watched = await openSignedIn(browser, origin, undefined, { mayAsk: [nobody, cache.url] });
    const { page } = watched;
    await page.goto(`${origin.url}/admin/content-caches`);
    await page.getByText('No content caches yet').waitFor();
    await page.getByRole('button', { name: 'Add a cache' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add a content cache' });
    await dialog.getByLabel('Name').fill('region-us');
    await dialog.getByLabel('Host').fill('ftp://cache');
    await dialog.getByRole('button', { name: 'Add cache' }).click();
    await dialog.getByRole('alert').getByText('expected').waitFor();
    await dialog.getByLabel('Host').fill(nobody);
    await dialog.getByRole('button', { name: 'Add cache' }).click();
    await dialog.getByRole('status').getByText('region-us refuses connections').waitFor();
    await dialog.getByLabel('Host').fill(origin.url);
    await dialog.getByRole('button', { name: 'Save and look again' }).click();
    await dialog.getByRole('status').getByText('no content cache').waitFor();
    await dialog.getByLabel('Host').fill(cache.url);
    await dialog.getByRole('button', { name: 'Save and look again' }).click();
    await dialog.waitFor({ state: 'detached' });
    const row = page.getByRole('listitem').filter({ hasText: 'region-us' });
    await row.getByText('Healthy').waitFor();
    await row.getByText(/^Distance \d+(\.\d)? ms$/).waitFor();
    assert.equal((await ask<unknown[]>(origin, 'GET', '/content_caches')).length, 1);
    await closeWell(watched);
  });

  it('its own page tells how it is, and looks again when asked', async () => {
    const watched = await openSignedIn(browser, origin, undefined, { mayAsk: [cache.url] });
    const { page } = watched;
    await page.goto(`${origin.url}/admin/content-caches`);
    await page.getByRole('link', { name: 'region-us' }).click();
    await page.getByRole('heading', { name: 'region-us', level: 1 }).waitFor();
    await page.getByText('free of').waitFor();
    await page.getByText('No pulls in this time').waitFor();
    await page.getByRole('button', { name: 'Look again' }).click();
    await page.getByText('Healthy').waitFor();
    await page.getByRole('button', { name: 'Edit' }).click();
    const dialog = page.getByRole('dialog', { name: 'Edit region-us' });
    await dialog.getByLabel('Send pulls to it').uncheck();
    await dialog.getByRole('button', { name: 'Save changes' }).click();
    await page.getByText('switched off', { exact: true }).waitFor();
    await closeWell(watched);
  });

  it('a network rule is made, decides where a pull goes, and is removed by its network', async () => {
    const { id } = (await ask<{ id: string }[]>(origin, 'GET', '/content_caches'))[0] ?? { id: '' };
    await ask(origin, 'PATCH', `/content_caches/${id}`, { isEnabled: true });
    await ask(origin, 'POST', '/repositories/admin', { name: 'app' });
    const watched = await openSignedIn(browser, origin, undefined, { mayAsk: [cache.url] });
    const { page } = watched;
    await page.goto(`${origin.url}/admin/network-rules`);
    await page.getByText('No network rules yet').waitFor();
    await page.getByRole('button', { name: 'Add a rule' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add a network rule' });
    await dialog.getByLabel('Network').fill('not a network');
    await dialog.getByLabel('Is served by').selectOption('region-us');
    await dialog.getByRole('button', { name: 'Add rule' }).click();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByLabel('Network').fill('10.20.0.0/16');
    await dialog.getByRole('button', { name: 'Add rule' }).click();
    await page.getByText('→ region-us').waitFor();

    await page.getByLabel('From the address').fill('10.20.7.7');
    await page.getByLabel('Repository').fill('admin/app');
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.getByRole('heading', { name: 'To region-us' }).waitFor();
    await page.getByText('The rule for 10.20.0.0/16 says region-us.').waitFor();

    await page.goto(`${origin.url}/admin/content-caches`);
    await page.getByRole('button', { name: 'Remove region-us' }).click();
    await page.getByText('1 network rule goes with it: 10.20.0.0/16').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();

    await page.goto(`${origin.url}/admin/network-rules`);
    await page.getByRole('button', { name: 'Remove the rule for 10.20.0.0/16' }).click();
    await confirmByName(page, '10.20.0.0/16', 'Remove rule');
    await page.getByText('No network rules yet').waitFor();
    await closeWell(watched);
  });

  it('a content cache is removed by its name, once it is shown who chose it', async () => {
    const { id } = (await ask<{ id: string }[]>(origin, 'GET', '/content_caches'))[0] ?? { id: '' };
    await ask(origin, 'POST', '/accounts', { name: 'acme', isOrg: true });
    await ask(origin, 'PATCH', '/accounts/acme/settings', { contentCacheUUID: id });
    await ask(origin, 'PATCH', '/accounts/admin/settings', { contentCacheUUID: id });
    await ask(origin, 'POST', '/meta/settings', { defaultContentCacheUUID: id });
    const watched = await openSignedIn(browser, origin, undefined, { mayAsk: [cache.url] });
    const { page } = watched;
    await page.goto(`${origin.url}/admin/content-caches`);
    await page.getByRole('button', { name: 'Remove region-us' }).click();
    await page.getByText('The settings of 2 accounts name it: acme, admin').waitFor();
    await page.getByText('It is the system’s default.').waitFor();
    await page.getByText('Nobody pulled through it in the last 30 days.').waitFor();
    await confirmByName(page, 'region-us', 'Remove cache');
    await page.getByText('No content caches yet').waitFor();
    await closeWell(watched);
  });

  it('a user is made with a password that is shown once, signs in, is made an admin, and is shut out', async () => {
    const watched = await openSignedIn(browser, origin);
    const { page } = watched;
    await page.goto(`${origin.url}/admin/users`);
    await page.getByRole('button', { name: 'New user' }).click();
    const dialog = page.getByRole('dialog', { name: 'New user' });
    await dialog.getByLabel('User name').fill('jane');
    await dialog.getByLabel('Full name').fill('Jane Doe');
    await dialog.getByRole('button', { name: 'Create user' }).click();
    await dialog.getByText('jane may sign in').waitFor();
    const password = await dialog.locator('code').innerText();
    assert.equal((await origin.api('GET', '/content_caches', undefined, `jane:${password}`)).status, 200);
    await dialog.getByRole('button', { name: 'Done' }).click();

    const row = page.getByRole('listitem').filter({ hasText: 'Jane Doe' });
    await row.getByRole('button', { name: 'What to do with jane' }).click();
    await page.getByRole('menuitem', { name: 'Make system admin' }).click();
    await row.getByText('system admin').waitFor();
    await row.getByRole('button', { name: 'What to do with jane' }).click();
    await page.getByRole('menuitem', { name: 'Deactivate' }).click();
    await confirmByName(page, 'jane', 'Deactivate user');
    await row.getByText('deactivated').waitFor();
    assert.equal((await origin.api('GET', '/content_caches', undefined, `jane:${password}`)).status, 401);
    await page.getByLabel('Which users').selectOption('inactive-users');
    await page.waitForURL('**/admin/users?filter=inactive-users');
    await page.getByText('jane', { exact: true }).waitFor();
    await closeWell(watched);
  });

  it('events are filtered, and the address keeps the filter', async () => {
    const watched = await openSignedIn(browser, origin);
    const { page } = watched;
    await page.goto(`${origin.url}/admin/events`);
    await page.getByRole('row').filter({ hasText: 'region-us' }).first().waitFor();
    await page.getByLabel('Outcome').selectOption('refused');
    await page.waitForURL('**/admin/events?outcome=refused');
    await page.getByText('refused', { exact: true }).first().waitFor();
    await page.getByRole('row').filter({ hasText: 'region-us' }).first().waitFor({ state: 'detached' });
    await page.getByLabel('Who').fill('nobody-at-all');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.getByText('No events', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await page.getByRole('row').filter({ hasText: 'region-us' }).first().waitFor();
    await closeWell(watched);
  });

  it('the system’s settings are changed, and its state is told', async () => {
    const watched = await openSignedIn(browser, origin);
    const { page } = watched;
    await page.goto(`${origin.url}/admin/system`);
    await page.getByText('OK', { exact: true }).waitFor();
    await page.getByLabel('Create repositories on push').uncheck();
    await page.getByRole('status').getByText('Saved').waitFor();
    const settings = await ask<{ createRepositoryOnPush: boolean }>(origin, 'GET', '/meta/settings');
    assert.equal(settings.createRepositoryOnPush, false);
    await closeWell(watched);
  });
});
