/** What somebody typed is shown as text, and nothing runs that is not ours (threats.md, B11). */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { browserMissing, startBrowser } from '../../setup/browser.ts';
import { pushImage, startTestOrigin } from '../../setup/origin.ts';
import { ask, closeWell, openSignedIn } from './setup.ts';

const origin = await startTestOrigin();
const script = '<img src=x onerror=alert(1)><script>alert(2)</script>';

describe('what others typed', { skip: browserMissing }, () => {
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
    await ask(origin, 'POST', '/accounts', {
      name: 'mallory',
      fullName: script,
      password: 'mallory-password',
    });
    await ask(origin, 'POST', '/accounts', { name: 'acme', fullName: script, isOrg: true });
    await ask(origin, 'PUT', '/accounts/acme/members/mallory', { isAdmin: true });
    await ask(origin, 'POST', '/accounts/acme/teams', { name: 'team', description: script });
    await ask(origin, 'POST', '/api_tokens?username=mallory', { tokenLabel: script });
    await pushImage(origin, 'acme/app', '1', [Buffer.alloc(10, 1)]);
    await ask(origin, 'PATCH', '/repositories/acme/app', {
      shortDescription: script,
      longDescription: `${script}\n\n[go](javascript:alert(3)) [there](data:text/html,<script>alert(4)</script>)\n\n![pixel](https://evil.example/p.png)`,
    });
    await fetch(`${origin.url}/api/v0/session`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ username: script, password: script }),
    });
  });
  after(() => browser?.close());

  for (const [path, shown] of [
    ['/repositories', script],
    ['/repositories/acme/app/tags', script],
    ['/repositories/acme/app/settings', 'Immutable tags'],
    ['/organizations/acme/members', script],
    ['/organizations/acme/teams', script],
    ['/users/mallory/tokens', script],
    ['/users/mallory/activity', 'mallory'],
    ['/admin/users', script],
    ['/admin/events?outcome=refused', script],
    [`/admin/events?actorId=${encodeURIComponent(script)}`, 'Who'],
    [`/repositories?query=${encodeURIComponent(script)}`, 'No repository has'],
  ] as const) {
    it(`is text on ${decodeURIComponent(path)}`, async () => {
      const watched = await openSignedIn(browser, origin);
      await watched.page.goto(`${origin.url}${path}`);
      await watched.page.getByText(shown).first().waitFor();
      assert.equal(await watched.page.locator('img, main script').count(), 0);
      await closeWell(watched);
    });
  }

  it('a link of a description goes nowhere by script', async () => {
    const watched = await openSignedIn(browser, origin);
    const { page } = watched;
    await page.goto(`${origin.url}/repositories/acme/app/tags`);
    const links = page.getByRole('region', { name: 'About' }).getByRole('link');
    await page.getByText('pixel').waitFor();
    const targets = await Promise.all((await links.all()).map((link) => link.getAttribute('href')));
    assert.deepEqual(
      targets.filter((target) => target !== null && /^(?:javascript|data):/.test(target)),
      [],
    );
    await closeWell(watched);
  });

  it('a page that asks for a script of its own gets none (the policy holds)', async () => {
    const { page, complaints } = await openSignedIn(browser, origin);
    await page.goto(`${origin.url}/repositories`);
    await page.getByRole('heading', { name: 'Repositories' }).waitFor();
    await page.evaluate(
      `{ const s = document.createElement('script'); s.textContent = 'window.ran = true'; document.body.append(s); }`,
    );
    assert.equal(await page.evaluate('window.ran'), undefined);
    assert.match(complaints.join('\n'), /script-src/);
    await page.context().close();
  });
});
