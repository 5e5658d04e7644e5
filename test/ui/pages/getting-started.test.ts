/** A new admin is led from nothing to the first pull through a cache, and each step is noticed by itself. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { browserMissing, startBrowser } from '../../setup/browser.ts';
import { startTestCache } from '../../setup/cache.ts';
import { pushImage, startTestOrigin } from '../../setup/origin.ts';
import { ask, closeWell, openSignedIn } from './setup.ts';

const origin = await startTestOrigin({ probeIntervalMs: 3_600_000 });
const cache = await startTestCache({ origin: origin.url });

describe('the first run', { skip: browserMissing }, () => {
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser?.close());

  it('leads to a pull through a cache', async () => {
    const watched = await openSignedIn(browser, origin, undefined, { mayAsk: [cache.url] });
    const { page } = watched;
    const current = page.locator('[aria-current="step"]');
    const isAt = (title: string) => current.getByRole('heading', { name: title }).waitFor();
    await page.goto(`${origin.url}/`);
    await page.waitForURL('**/getting-started');

    await isAt('Register a content cache');
    await page.getByRole('button', { name: 'Add a cache' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add a content cache' });
    await dialog.getByLabel('Name').fill('region-us');
    await dialog.getByLabel('Host').fill(cache.url);
    await dialog.getByRole('button', { name: 'Add cache' }).click();

    await isAt('Choose it for your pulls');
    await page.getByRole('link', { name: 'Choose a cache' }).click();
    await page.getByRole('radio', { name: 'region-us' }).check();
    await page.getByRole('button', { name: 'Save changes' }).click();
    await page.getByRole('status').getByText('Saved: the next pull follows it').waitFor();
    await page.getByRole('link', { name: 'DTR, home' }).click();

    await isAt('Sign in with docker');
    await origin.token('admin', origin.adminPassword);
    await isAt('Push an image');
    const { layers } = await pushImage(origin, 'admin/app', '1', [Buffer.alloc(1_000, 1)]);
    await isAt('Pull it through the cache');
    await page.getByText(`docker pull ${new URL(origin.url).host}/admin/app:1`).waitFor();

    assert.equal((await origin.registry('GET', '/v2/admin/app/manifests/1')).status, 200);
    const redirect = await origin.registry('GET', `/v2/admin/app/blobs/${layers[0]}`);
    assert.equal(redirect.status, 307);
    assert.equal((await fetch(redirect.headers.get('location') ?? '')).status, 200);
    await page.getByText('Pulled. Whether region-us gave the layers').waitFor();
    // The next look at the cache, within seconds: one that was quiet does not wait for the end of the minute.
    const [registered] = await ask<{ id: string }[]>(origin, 'GET', '/content_caches');
    await ask(origin, 'POST', `/content_caches/${registered?.id}/probe`);
    await page.getByRole('heading', { name: 'It works' }).waitFor();
    await page.getByText('region-us gave the layers of admin/app.').waitFor();
    await page.getByText('The image came from region-us').waitFor();

    await page.getByRole('button', { name: 'Go to the repositories' }).click();
    await page.getByRole('link', { name: 'admin/app' }).waitFor();
    await page.getByRole('link', { name: 'DTR, home' }).click();
    await page.waitForURL('**/repositories');
    await page.getByRole('button', { name: 'Menu of admin' }).click();
    await page.getByRole('menuitem', { name: 'Getting started' }).click();
    await page.getByRole('heading', { name: 'It works' }).waitFor();
    await closeWell(watched);
  });
});
