/** What a person chooses in the web UI decides where docker's next pull comes from. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { browserMissing, openPage, startBrowser } from '../setup/browser.ts';
import { type DockerEngine, startDockerEngine } from '../setup/docker-engine.ts';
import { type Pair, startPair } from '../setup/pair.ts';
import { missing } from '../setup/processes.ts';
import { tempDirectory } from '../setup/temp-directory.ts';

const directory = await tempDirectory();

describe('a pull after a choice in the web UI', {
  skip: browserMissing || missing('dockerd', 'docker'),
}, () => {
  let pair: Pair;
  let engine: DockerEngine;
  let browser: Browser;
  let image: string;

  before(async () => {
    pair = await startPair(join(directory, 'pair'));
    await pair.api('POST', '/accounts', { name: 'jane', password: 'jane-password' });
    engine = await startDockerEngine(join(directory, 'docker'));
    image = `${pair.host}/jane/app:1`;
    await engine.build(image, [3_000_000, 1_000]);
    browser = await startBrowser();
  });

  after(async () => {
    await browser?.close();
    await engine?.stop();
    await pair?.stop();
  });

  /** How many blobs of a fresh pull the cache gave, as its log tells. */
  async function pull(): Promise<number> {
    await engine.docker('jane', 'image', 'rm', '--force', image);
    await pair.logsSettled();
    const since = pair.cacheLogs.length;
    await engine.docker('jane', 'pull', image);
    await pair.logsSettled();
    return pair.cacheLogs.slice(since).filter((line) => line.msg === 'pull').length;
  }

  it('comes from region-us once it is chosen in the Settings tab of the profile', async () => {
    await engine.docker('jane', 'login', '--username', 'jane', '--password', 'jane-password', pair.host);
    await engine.docker('jane', 'push', image);
    assert.equal(await pull(), 0, 'nobody chose a cache');

    const { page, complaints } = await openPage(browser, pair.originUrl, {
      ignoreHTTPSErrors: true,
      mayAsk: [pair.cacheUrl],
    });
    await page.goto(`${pair.originUrl}/`);
    await page.getByLabel('User name').fill('jane');
    await page.getByLabel('Password').fill('jane-password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Menu of jane' }).click();
    await page.getByRole('menuitem', { name: 'Profile' }).click();
    await page.getByRole('link', { name: 'Settings' }).click();
    const choice = page.getByRole('radio', { name: 'region-us' });
    await choice.check();
    await page.getByText('Healthy').waitFor();
    await page.getByRole('button', { name: 'Save changes' }).click();
    await page.getByRole('status').getByText('Saved: the next pull follows it').waitFor();

    assert.equal(await pull(), 3, 'two layers and the image’s configuration');

    await page.getByRole('radio', { name: 'None' }).check();
    await page.getByRole('button', { name: 'Save changes' }).click();
    await page.getByRole('status').getByText('Saved: the next pull follows it').last().waitFor();
    assert.equal(await pull(), 0, 'the origin gives the layers again');
    assert.deepEqual(complaints, []);
  });
});
