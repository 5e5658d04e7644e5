/** How much comes and how long it takes before the first page can be used. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import BetterSqlite3 from 'better-sqlite3';
import type { Browser, Page } from 'playwright-core';
import { browserMissing, openPage, startBrowser } from '../../setup/browser.ts';
import { startTestOrigin } from '../../setup/origin.ts';
import { closeWell, openSignedIn } from './setup.ts';

const origin = await startTestOrigin();
const repositories = 100_000;

describe('a registry with 100,000 repositories', { skip: browserMissing }, () => {
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
    fill();
  });
  after(() => browser?.close());

  it('the first load is at most 300 KB, from the sign-in to the list of repositories', async () => {
    const watched = await openPage(browser, origin.url);
    const { page } = watched;
    let transferred = 0;
    page.on('requestfinished', async (request) => {
      const { responseBodySize, responseHeadersSize } = await request.sizes();
      transferred += responseBodySize + responseHeadersSize;
    });
    await page.goto(`${origin.url}/sign-in`);
    await page.getByLabel('User name').fill('admin');
    await page.getByLabel('Password').fill(origin.adminPassword);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: 'acme/service-000000' }).waitFor();
    await page.waitForLoadState('networkidle');
    assert.ok(transferred > 100_000 && transferred <= 300_000, `${transferred} bytes`);
    await closeWell(watched);
  });

  it('the list can be used within a second', async () => {
    const watched = await openSignedIn(browser, origin);
    const times: number[] = [];
    for (let attempt = 0; attempt < 3; attempt += 1) times.push(await timeToUse(watched.page));
    assert.ok(Math.min(...times) <= 1_000, `${times.join(', ')} ms`);
    await closeWell(watched);
  });

  /** From the address to a list that answers what is typed. */
  async function timeToUse(page: Page): Promise<number> {
    const began = performance.now();
    await page.goto(`${origin.url}/repositories`, { waitUntil: 'commit' });
    await page.getByRole('link', { name: 'acme/service-000000' }).waitFor();
    return Math.round(performance.now() - began);
  }
});

function fill(): void {
  const database = new BetterSqlite3(join(origin.dataDirectory, 'dtr.db'));
  try {
    database.exec(`
      insert into accounts (id, name, is_org, is_admin, is_active, created_at)
        values ('00000000-0000-4000-8000-000000000000', 'acme', 1, 0, 1, 0);
      with recursive numbers(n) as (select 0 union all select n + 1 from numbers where n + 1 < ${repositories})
      insert into repositories (id, namespace_id, name, visibility, created_at)
        select printf('00000000-0000-4000-8000-%012d', n), '00000000-0000-4000-8000-000000000000',
          printf('acme/service-%06d', n), 'private', 0
        from numbers`);
  } finally {
    database.close();
  }
}
