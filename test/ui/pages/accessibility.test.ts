/** Each page in both themes, wide and on a phone: axe finds nothing serious, and the keyboard goes everywhere. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { browserMissing, openPage, startBrowser } from '../../setup/browser.ts';
import { pushImage, startTestOrigin } from '../../setup/origin.ts';
import { eventually } from '../../setup/processes.ts';
import { ask, closeWell, openSignedIn } from './setup.ts';

const origin = await startTestOrigin();
const nobody = 'http://127.0.0.1:9';

describe('for everybody', { skip: browserMissing }, () => {
  let browser: Browser;
  let cacheId: string;
  let jobId: string;
  before(async () => {
    browser = await startBrowser();
    await ask(origin, 'POST', '/accounts', { name: 'jane', password: 'jane-password', fullName: 'Jane Doe' });
    await ask(origin, 'POST', '/accounts', { name: 'acme', fullName: 'Acme Ltd', isOrg: true });
    await ask(origin, 'PUT', '/accounts/acme/members/jane', { isAdmin: true });
    await ask(origin, 'POST', '/accounts/acme/teams', { name: 'web', description: 'Web shop' });
    await ask(origin, 'POST', '/api_tokens', { tokenLabel: 'ci', access: 'read-write' });
    ({ id: cacheId } = await ask<{ id: string }>(origin, 'POST', '/content_caches', {
      name: 'region-us',
      host: nobody,
    }));
    await ask(origin, 'POST', '/content_cache_rules', { network: '10.20.0.0/16', contentCacheUUID: cacheId });
    await pushImage(origin, 'acme/app', '1', [Buffer.alloc(10, 1)]);
    await ask(origin, 'POST', '/content_cache_prefetch_rules', { repository: 'acme/*', tag: 'v*' });
    ({ id: jobId } = await ask<{ id: string }>(origin, 'POST', '/jobs', {
      action: 'content-cache-prefetch',
      parameters: { repository: 'acme/app', reference: '1' },
    }));
    await ask(origin, 'PUT', '/repositories/acme/app/teamAccess/web', { accessLevel: 'read-only' });
    await ask(origin, 'PATCH', '/repositories/acme/app', {
      longDescription: '# App\n\n- one `code`\n\n[link](https://a.example)',
    });
  });
  after(() => browser?.close());

  const pages: [path: () => string, heading: string, open?: (page: Page) => Promise<void>][] = [
    [() => '/getting-started', 'Your first pull through a cache'],
    [() => '/repositories', 'Repositories'],
    [
      () => '/repositories',
      'Repositories',
      (page) => page.getByRole('button', { name: 'New repository' }).click(),
    ],
    [
      () => '/repositories/acme/app/tags',
      'acme/app',
      (page) => page.getByRole('button', { name: 'Show the details of 1' }).click(),
    ],
    [
      () => '/repositories/acme/app/tags',
      'acme/app',
      (page) => page.getByRole('button', { name: 'Delete 1' }).click(),
    ],
    [() => '/repositories/acme/app/access', 'acme/app'],
    [() => '/repositories/acme/app/settings', 'acme/app'],
    [() => '/users/admin/settings', 'admin'],
    [
      () => '/users/admin/settings',
      'admin',
      (page) => page.getByRole('button', { name: 'Menu of admin' }).click(),
    ],
    [() => '/users/admin/password', 'admin'],
    [() => '/users/admin/tokens', 'admin'],
    [() => '/users/admin/activity', 'admin'],
    [() => '/organizations', 'Organizations'],
    [() => '/organizations/acme/repositories', 'Acme Ltd'],
    [() => '/organizations/acme/members', 'Acme Ltd'],
    [() => '/organizations/acme/teams', 'Acme Ltd'],
    [() => '/organizations/acme/settings', 'Acme Ltd'],
    [() => '/organizations/acme/teams/web', 'web'],
    [() => '/admin/content-caches', 'Content caches'],
    [() => `/admin/content-caches/${cacheId}`, 'region-us'],
    [
      () => '/admin/content-caches',
      'Content caches',
      (page) => page.getByRole('button', { name: 'Remove region-us' }).click(),
    ],
    [() => '/admin/network-rules', 'Network rules'],
    [() => '/admin/jobs', 'Purge and prefetch'],
    [() => `/admin/jobs/${jobId}`, 'Prefetch acme/app:1'],
    [
      () => `/admin/content-caches/${cacheId}`,
      'region-us',
      (page) => page.getByRole('button', { name: 'Prefetch' }).click(),
    ],
    [
      () => `/admin/content-caches/${cacheId}`,
      'region-us',
      (page) => page.getByRole('button', { name: 'Purge' }).click(),
    ],
    [
      () => '/admin/jobs',
      'Purge and prefetch',
      (page) => page.getByRole('button', { name: 'Edit the rule for acme/*:v*' }).click(),
    ],
    [() => '/admin/users', 'Users'],
    [() => '/admin/events', 'Events'],
    [() => '/admin/system', 'System'],
    [() => '/nothing', 'Not found'],
  ];
  for (const [colorScheme, width] of [
    ['light', 1280],
    ['dark', 1280],
    ['light', 360],
  ] as const) {
    it(`axe finds nothing serious in ${pages.length} pages, ${colorScheme}, ${width} px wide`, async () => {
      const watched = await openSignedIn(browser, origin, undefined, {
        mayAsk: [nobody],
        colorScheme,
        viewport: { width, height: 800 },
      });
      const { page } = watched;
      const found: string[] = [];
      for (const [path, heading, open] of pages) {
        await page.goto(`${origin.url}${path()}`);
        await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
        await page.waitForLoadState('networkidle');
        await open?.(page);
        if (open !== undefined)
          await page
            .getByRole('dialog')
            .or(page.getByRole('menu'))
            .or(page.getByText('Pull by tag'))
            .first()
            .waitFor();
        found.push(...(await violations(page)).map((text) => `${path()}: ${text}`));
        const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        if ((overflow as number) > 0) found.push(`${path()}: ${overflow} px too wide`);
      }
      assert.deepEqual(found, []);
      await closeWell(watched);
    });
  }

  it('axe finds nothing serious where one signs in', async () => {
    const watched = await openPage(browser, origin.url);
    await watched.page.goto(`${origin.url}/sign-in`);
    await watched.page.getByRole('heading', { name: 'Sign in' }).waitFor();
    assert.deepEqual(await violations(watched.page), []);
    await closeWell(watched);
  });

  it('the keyboard alone goes to the content, to another page, through a menu and a dialog, and back', async () => {
    const watched = await openSignedIn(browser, origin, undefined, { mayAsk: [nobody] });
    const { page } = watched;
    const focused = () =>
      page.evaluate(
        'document.activeElement.textContent || document.activeElement.getAttribute("aria-label")',
      );
    await page.goto(`${origin.url}/repositories`);
    await page.getByRole('link', { name: 'acme/app' }).waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Skip to the content');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate('document.activeElement.id'), 'main');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'New repository');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    // The focus goes back where it came from, once the dialog is gone.
    await eventually('the focus to be back', async () => (await focused()) === 'New repository');

    await page.getByRole('link', { name: 'Organizations' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Organizations', level: 1 }).waitFor();
    assert.equal(await focused(), 'Organizations');
    assert.equal(await page.evaluate('document.activeElement.tagName'), 'H1', 'the new page is said');
    assert.equal(await page.title(), 'Organizations · DTR');

    await page.getByRole('button', { name: 'Menu of admin' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: 'Profile' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Escape');
    await page.getByRole('menu').waitFor({ state: 'detached' });
    await eventually('the focus to be back', async () => /^Menu of admin/.test(String(await focused())));
    await closeWell(watched);
  });
});

/**
 * Serious and critical ones, with where they are. Without the guards around a menu, which hand the focus on as soon as they
 * get it: nobody stays on them.
 */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  // The guards of an open menu only hand the focus on: nobody stays on one.
  const guards = `[['[data-base-ui-focus-guard]'], ['span[data-type="outside"][aria-hidden="true"]']]`;
  return (await page.evaluate(`axe.run({ exclude: ${guards} }, { resultTypes: ['violations'] }).then(({ violations }) => violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 160)).join(' | ')))`)) as string[];
}
