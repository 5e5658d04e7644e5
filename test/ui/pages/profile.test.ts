/** A user's profile: password, access tokens, activity. The Settings tab is in sign-in.test.ts. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { browserMissing, startBrowser } from '../../setup/browser.ts';
import { startTestOrigin } from '../../setup/origin.ts';
import { ask, closeWell, confirmByName, openSignedIn } from './setup.ts';

const origin = await startTestOrigin();

describe('the pages of a profile', { skip: browserMissing }, () => {
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
    await ask(origin, 'POST', '/accounts', { name: 'jane', password: 'jane-password', fullName: 'Jane Doe' });
  });
  after(() => browser?.close());

  it('an access token is shown once, works, and is refused once it is revoked', async () => {
    const watched = await openSignedIn(browser, origin, 'jane:jane-password');
    const { page } = watched;
    await page.goto(`${origin.url}/users/jane/tokens`);
    await page.getByText('No access tokens yet').waitFor();
    await page.getByRole('button', { name: 'New access token' }).click();
    const dialog = page.getByRole('dialog', { name: 'New access token' });
    await dialog.getByLabel('Label').fill('laptop');
    await dialog.getByRole('button', { name: 'Create access token' }).click();
    await dialog.getByText('it is not shown again').waitFor();
    const token = await dialog.locator('code').first().innerText();
    const listOf = () => origin.api('GET', '/content_caches', undefined, `jane:${token}`);
    assert.equal((await listOf()).status, 200);
    await dialog.getByRole('button', { name: 'Done' }).click();
    const row = page.getByRole('listitem').filter({ hasText: 'laptop' });
    await row.getByText('read only').waitFor();
    await dialog.waitFor({ state: 'detached' });
    assert.ok(!(await page.content()).includes(token), 'the page does not keep it');

    await row.getByRole('button', { name: 'Turn off' }).click();
    await row.getByText('off', { exact: true }).waitFor();
    assert.equal((await listOf()).status, 401);
    await row.getByRole('button', { name: 'Revoke' }).click();
    await confirmByName(page, 'laptop', 'Revoke access token');
    await page.getByText('No access tokens yet').waitFor();
    await closeWell(watched);
  });

  it('a password is changed with the one so far, and this browser stays signed in', async () => {
    const watched = await openSignedIn(browser, origin, 'jane:jane-password');
    const { page } = watched;
    await page.goto(`${origin.url}/users/jane/password`);
    const button = page.getByRole('button', { name: 'Change password' });
    await page.getByLabel('Password so far').fill('not this');
    await page.getByLabel('New password', { exact: true }).fill('staple of a horse');
    await page.getByLabel('New password, once more').fill('staple');
    await page.getByText('The two are not the same.').waitFor();
    assert.equal(await button.isDisabled(), true);
    await page.getByLabel('New password, once more').fill('staple of a horse');
    await button.click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Password so far').fill('jane-password');
    await button.click();
    await page.getByRole('status').getByText('Your password is changed').waitFor();
    assert.equal((await origin.api('GET', '/content_caches', undefined, 'jane:jane-password')).status, 401);
    assert.equal(
      (await origin.api('GET', '/content_caches', undefined, 'jane:staple of a horse')).status,
      200,
    );
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByText('Content Cache', { exact: true }).waitFor();
    await closeWell(watched);
  });

  it('activity tells what was done and what was refused, in local time and in UTC', async () => {
    const watched = await openSignedIn(browser, origin, 'jane:staple of a horse', {
      timezoneId: 'Asia/Tokyo',
    });
    const { page } = watched;
    await page.goto(`${origin.url}/users/jane/activity`);
    const rows = page.getByRole('table', { name: 'Events' }).getByRole('row');
    await rows.filter({ hasText: 'sign-in of' }).first().waitFor();
    await rows.filter({ hasText: 'laptop' }).first().waitFor();
    const time = page.locator('time').first();
    const [local, utc, at] = [
      await time.innerText(),
      (await time.getAttribute('title')) ?? '',
      (await time.getAttribute('datetime')) ?? '',
    ];
    assert.match(utc, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
    assert.equal(
      new Date(`${utc.slice(0, 19).replace(' ', 'T')}Z`).getTime(),
      Math.floor(Date.parse(at) / 1000) * 1000,
    );
    const inTokyo = new Intl.DateTimeFormat('en-US', {
      dateStyle: 'medium',
      timeStyle: 'short',
      timeZone: 'Asia/Tokyo',
    });
    assert.equal(local.replace(/\s/g, ' '), inTokyo.format(new Date(at)).replace(/\s/g, ' '));
    await closeWell(watched);
  });

  it('an admin sets a password without knowing the one so far', async () => {
    const watched = await openSignedIn(browser, origin);
    const { page } = watched;
    await page.goto(`${origin.url}/users/jane/password`);
    await page.getByLabel('New password', { exact: true }).fill('another of those');
    await page.getByLabel('New password, once more').fill('another of those');
    assert.equal(await page.getByLabel('Password so far').count(), 0);
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByRole('status').getByText('The password of jane is changed').waitFor();
    assert.equal(
      (await origin.api('GET', '/content_caches', undefined, 'jane:another of those')).status,
      200,
    );
    await closeWell(watched);
  });
});
