/** What system admins have content caches remove and fetch, in the web UI. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { browserMissing, startBrowser } from '../../setup/browser.ts';
import { startTestCache } from '../../setup/cache.ts';
import { freePort } from '../../setup/free-port.ts';
import { pushImage, startTestOrigin } from '../../setup/origin.ts';
import { ask, closeWell, confirmByName, openSignedIn } from './setup.ts';

const origin = await startTestOrigin();
const cache = await startTestCache({ origin: origin.url });
const away = `http://127.0.0.1:${await freePort()}`;

describe('the pages of purges and prefetches', { skip: browserMissing }, () => {
  let browser: Browser;
  let cacheId: string;
  const signedIn = () => openSignedIn(browser, origin, undefined, { mayAsk: [cache.url, away] });
  before(async () => {
    const registered = { name: 'region-us', host: cache.url };
    ({ id: cacheId } = await ask<{ id: string }>(origin, 'POST', '/content_caches', registered));
    await pushImage(origin, 'admin/app', '1', [Buffer.alloc(20_000, 1), Buffer.alloc(10_000, 2)]);
    browser = await startBrowser();
  });
  after(() => browser?.close());

  it('an image is prefetched from the page of a cache, and its progress is seen to the end', async () => {
    const watched = await signedIn();
    const { page } = watched;
    await page.goto(`${origin.url}/admin/content-caches/${cacheId}`);
    await page.getByRole('button', { name: 'Prefetch' }).click();
    const dialog = page.getByRole('dialog', { name: 'Prefetch an image' });
    assert.equal(await dialog.getByRole('checkbox', { name: 'region-us' }).isChecked(), true);
    await dialog.getByLabel('Repository').fill('admin/app');
    await dialog.getByLabel('Tag or digest').fill('missing');
    await dialog.getByRole('button', { name: 'Prefetch' }).click();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByLabel('Tag or digest').fill('1');
    await dialog.getByRole('button', { name: 'Prefetch' }).click();
    await page.waitForURL('**/admin/jobs/*');
    await page.getByRole('heading', { name: 'Prefetch admin/app:1 done', level: 1 }).waitFor();
    const row = page.getByRole('listitem').filter({ hasText: 'region-us' });
    await row.getByText('3 of 3 blobs').waitFor();
    const progress = row.getByRole('progressbar', { name: 'Progress at region-us' });
    assert.equal(await progress.getAttribute('value'), await progress.getAttribute('max'));
    await page.getByRole('list', { name: 'Log' }).getByRole('listitem').first().waitFor();
    await closeWell(watched);
  });

  it('a tag is prefetched from where its commands stand', async () => {
    const watched = await signedIn();
    const { page } = watched;
    await page.goto(`${origin.url}/repositories/admin/app/tags`);
    await page.getByRole('button', { name: 'Show the details of 1' }).click();
    await page.getByRole('button', { name: 'Prefetch to caches' }).click();
    const dialog = page.getByRole('dialog', { name: 'Prefetch an image' });
    assert.equal(await dialog.getByLabel('Repository').inputValue(), 'admin/app');
    assert.equal(await dialog.getByLabel('Tag or digest').inputValue(), '1');
    await dialog.getByRole('button', { name: 'Prefetch' }).click();
    await page.getByRole('heading', { name: 'Prefetch admin/app:1 done', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Remove from the list' }).click();
    await page.getByRole('heading', { name: 'Purge and prefetch', level: 1 }).waitFor();
    await closeWell(watched);
  });

  it('everything is purged, and the page tells how much it was', async () => {
    const watched = await signedIn();
    const { page } = watched;
    await page.goto(`${origin.url}/admin/jobs`);
    await page.getByRole('link', { name: 'Prefetch admin/app:1' }).waitFor();
    await page.getByRole('button', { name: 'Purge', exact: true }).click();
    const dialog = page.getByRole('dialog', { name: 'Purge content caches' });
    const purge = dialog.getByRole('button', { name: 'Purge' });
    await dialog.getByRole('radio', { name: 'One repository' }).check();
    assert.equal(await purge.isDisabled(), true, 'which one?');
    await dialog.getByRole('radio', { name: 'Everything' }).check();
    await purge.click();
    await page.getByRole('heading', { name: 'Purge everything done', level: 1 }).waitFor();
    await page.getByText('3 blobs removed').waitFor();
    await page.getByRole('button', { name: 'Remove from the list' }).click();
    await page.getByRole('heading', { name: 'Purge and prefetch', level: 1 }).waitFor();
    await page.getByRole('link', { name: 'Prefetch admin/app:1' }).waitFor();
    await page.getByRole('link', { name: 'Purge everything' }).waitFor({ state: 'detached' });
    await closeWell(watched);
  });

  it('a cache that is away is waited for, until the job is stopped', async () => {
    const { id } = await ask<{ id: string }>(origin, 'POST', '/content_caches', {
      name: 'region-eu',
      host: away,
    });
    const { id: jobId } = await ask<{ id: string }>(origin, 'POST', '/jobs', {
      action: 'content-cache-purge',
      parameters: { everything: true, contentCaches: [id] },
    });
    const watched = await signedIn();
    const { page } = watched;
    await page.goto(`${origin.url}/admin/jobs/${jobId}`);
    const row = page.getByRole('listitem').filter({ hasText: 'region-eu' });
    await row.getByText('region-eu refuses connections').waitFor();
    await row.getByText('0 blobs removed').waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('heading', { name: 'Purge everything canceled', level: 1 }).waitFor();

    const prefetch = await ask<{ id: string }>(origin, 'POST', '/jobs', {
      action: 'content-cache-prefetch',
      parameters: { repository: 'admin/app', reference: '1', contentCaches: [id] },
    });
    await page.goto(`${origin.url}/admin/jobs/${prefetch.id}`);
    await row.getByText('region-eu refuses connections').waitFor();
    assert.equal(await row.getByText('removed').count(), 0, 'a prefetch removes nothing');
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('heading', { name: 'Prefetch admin/app:1 canceled', level: 1 }).waitFor();
    await ask(origin, 'DELETE', `/content_caches/${id}`);
    await closeWell(watched);
  });

  it('a rule is made, follows a push by itself, is switched off, changed, and removed by its name', async () => {
    const watched = await signedIn();
    const { page } = watched;
    await page.goto(`${origin.url}/admin/jobs`);
    await page.getByText('No prefetch rules yet').waitFor();
    await page.getByRole('button', { name: 'Add a rule' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add a prefetch rule' });
    await dialog.getByLabel('Repository').fill('admin/*');
    await dialog.getByLabel('Platforms').fill('none');
    await dialog.getByRole('button', { name: 'Add rule' }).click();
    await dialog.getByRole('alert').getByText('platforms such as linux/amd64').waitFor();
    await dialog.getByLabel('Platforms').fill('');
    await dialog.getByLabel('Tag').fill('v*');
    await dialog.getByRole('button', { name: 'Add rule' }).click();
    const row = page.getByRole('listitem').filter({ hasText: 'admin/*:v*' });
    await row.getByText('to every cache').waitFor();

    await pushImage(origin, 'admin/app', 'v2', [Buffer.alloc(5_000, 3)]);
    await page.getByRole('link', { name: 'Prefetch admin/app' }).nth(1).waitFor();

    await row.getByRole('button', { name: 'Switch off the rule for admin/*:v*' }).click();
    await row.getByText('switched off', { exact: true }).waitFor();
    await row.getByRole('button', { name: 'Edit the rule for admin/*:v*' }).click();
    const edit = page.getByRole('dialog', { name: 'Edit the rule for admin/*:v*' });
    await edit.getByRole('radio', { name: 'Only at these' }).check();
    assert.equal(await edit.getByRole('button', { name: 'Save changes' }).isDisabled(), true, 'at none?');
    await edit.getByRole('checkbox', { name: 'region-us' }).check();
    await edit.getByRole('button', { name: 'Save changes' }).click();
    await row.getByText('to region-us').waitFor();
    await row.getByRole('button', { name: 'Remove the rule for admin/*:v*' }).click();
    await confirmByName(page, 'admin/*:v*', 'Remove rule');
    await page.getByText('No prefetch rules yet').waitFor();
    await closeWell(watched);
  });
});
