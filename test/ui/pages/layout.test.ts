/** Nothing is cut off, squeezed or moved: on a phone, with names as long as they may be, with nothing there, and while it loads. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { browserMissing, startBrowser } from '../../setup/browser.ts';
import { pushImage, startTestOrigin } from '../../setup/origin.ts';
import { ask, closeWell, openSignedIn } from './setup.ts';

const origin = await startTestOrigin();
const nobody = 'http://127.0.0.1:9';
const phone = { viewport: { width: 360, height: 780 }, isMobile: true, hasTouch: true };
const longName = 'withoutanyplacewherealinecouldbreak'.repeat(3);
const longTag = `tag-${'0123456789abcdef'.repeat(7)}`;

describe('the layout', { skip: browserMissing }, () => {
  let browser: Browser;
  const open = (options: object, user?: string) =>
    openSignedIn(browser, origin, user, { mayAsk: [nobody], ...options });
  before(async () => {
    browser = await startBrowser();
    await ask(origin, 'POST', '/accounts', { name: 'jane', password: 'jane-password' });
    await ask(origin, 'POST', '/repositories/admin', { name: 'empty', visibility: 'private' });
    await pushImage(origin, `admin/${longName}`, longTag, [Buffer.alloc(10, 1)]);
    const { id } = await ask<{ id: string }>(origin, 'POST', '/content_caches', {
      name: `cache-${longName}`,
      host: nobody,
    });
    await ask(origin, 'POST', '/content_cache_rules', {
      network: '2001:db8::/32',
      contentCacheUUID: id,
      comment: 'The offices on the other side of the river',
    });
  });
  after(() => browser?.close());

  it('no page is wider than a phone', async () => {
    const admin = await open(phone);
    const jane = await open(phone, 'jane:jane-password');
    const found: string[] = [];
    for (const [{ page }, path, seen] of [
      [jane, '/repositories', 'No repositories yet'],
      [admin, '/repositories/admin/empty/tags', 'No images yet'],
      [admin, '/repositories', longName],
      [admin, `/repositories/admin/${longName}/tags`, longTag],
      [admin, `/repositories/admin/${longName}/settings`, 'Delete this repository'],
      [admin, '/admin/content-caches', longName],
      [admin, '/admin/network-rules', longName],
      [admin, '/admin/events', longName],
      [admin, '/users/admin/settings', longName],
    ] as const) {
      await page.goto(`${origin.url}${path}`);
      await page.getByText(seen).first().waitFor();
      if (await isTooWide(page)) found.push(path);
    }
    assert.deepEqual(found, []);
    await closeWell(admin);
    await closeWell(jane);
  });

  it('what loads is no wider than a phone', async () => {
    const watched = await open(phone);
    const { page } = watched;
    await page.route('**/api/v0/repositories?**', () => {});
    await page.goto(`${origin.url}/repositories`);
    await page.getByRole('status').getByText('Loading').waitFor();
    assert.equal(await isTooWide(page), false);
    await closeWell(watched);
  });

  it('on a phone, the tab of the page is in view, and all of a command', async () => {
    const watched = await open(phone);
    const { page } = watched;
    await page.goto(`${origin.url}/users/admin/activity`);
    await page.getByText('sign-in of').first().waitFor();
    const tab = await page.getByRole('link', { name: 'Activity' }).boundingBox();
    assert.ok(tab !== null && tab.x >= 0 && tab.x + tab.width <= 360, JSON.stringify(tab));
    await page.goto(`${origin.url}/repositories/admin/${longName}/tags`);
    const command = page.getByText(`docker pull ${new URL(origin.url).host}/admin/${longName}`);
    await command.waitFor();
    const cutOff = await command.evaluate(
      (code: { scrollWidth: number; clientWidth: number }) => code.scrollWidth - code.clientWidth,
    );
    assert.equal(cutOff, 0);
    await closeWell(watched);
  });

  it('on a phone, the menu of a row opens beside its button, which stays where it is', async () => {
    const watched = await open(phone);
    const { page } = watched;
    await page.goto(`${origin.url}/admin/users`);
    const button = page.getByRole('button', { name: 'What to do with jane' });
    const closed = await button.boundingBox();
    await button.click();
    await page.getByRole('menu').waitFor();
    assert.deepEqual(await button.boundingBox(), closed);
    await closeWell(watched);
  });

  it('a long name at the side of a row leaves half of it to the rest', async () => {
    const watched = await open({ viewport: { width: 1280, height: 800 } });
    const { page } = watched;
    await page.goto(`${origin.url}/admin/network-rules`);
    const row = page.getByRole('listitem').filter({ hasText: '2001:db8::/32' });
    await row.getByText(longName).waitFor();
    const comment = await row.getByText('The offices').boundingBox();
    assert.ok(comment !== null && comment.height < 30, 'in one line');
    await closeWell(watched);
  });
});

async function isTooWide(page: Page): Promise<boolean> {
  return (await page.evaluate('document.documentElement.scrollWidth > 360')) as boolean;
}
