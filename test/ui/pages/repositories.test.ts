/** Repositories as a person looks after them. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { digestOf } from '../../../src/shared/distribution/digest.ts';
import { browserMissing, startBrowser } from '../../setup/browser.ts';
import { imageMediaType, pushBlob, pushImage, startTestOrigin } from '../../setup/origin.ts';
import { ask, closeWell, confirmByName, openSignedIn } from './setup.ts';

const origin = await startTestOrigin();
const host = new URL(origin.url).host;

describe('the pages of repositories', { skip: browserMissing }, () => {
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser?.close());

  it('an empty registry says how to fill it, and a repository is made by hand', async () => {
    const watched = await openSignedIn(browser, origin);
    const { page } = watched;
    await page.goto(`${origin.url}/repositories`);
    await page.getByText('No repositories yet').waitFor();
    await page.getByText(`docker push ${host}/admin/app:1`).waitFor();
    await page.getByRole('button', { name: 'New repository' }).click();
    const dialog = page.getByRole('dialog', { name: 'New repository' });
    await dialog.getByLabel('Name').fill('Not A Name');
    await dialog.getByRole('button', { name: 'Create repository' }).click();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByLabel('Name').fill('web');
    await dialog.getByLabel('Description').fill('The web shop');
    await dialog.getByRole('radio', { name: 'Public' }).check();
    await dialog.getByRole('button', { name: 'Create repository' }).click();
    await page.waitForURL('**/repositories/admin/web/tags');
    await page.getByRole('heading', { name: 'admin/web', level: 1 }).waitFor();
    await page.getByText('No images yet').waitFor();
    await page.getByRole('link', { name: 'Repositories' }).first().click();
    await page.getByRole('link', { name: 'admin/web' }).waitFor();
    await page.getByText('public', { exact: true }).waitFor();
    await closeWell(watched);
  });

  it('are found by a part of their name and come in pages, whose addresses can be gone back to', async () => {
    for (let n = 10; n < 40; n += 1)
      await ask(origin, 'POST', '/repositories/admin', { name: `service-${n}` });
    const watched = await openSignedIn(browser, origin);
    const { page } = watched;
    await page.goto(`${origin.url}/repositories`);
    const rows = page.getByRole('list', { name: 'Repositories' }).getByRole('listitem');
    await rows.first().waitFor();
    assert.equal(await rows.count(), 25);
    await page.getByRole('link', { name: 'Next' }).click();
    await page.getByRole('link', { name: 'admin/web' }).waitFor();
    assert.equal(await rows.count(), 6);
    await page.getByRole('link', { name: 'First page' }).click();
    await page.getByRole('link', { name: 'admin/service-10' }).waitFor();
    await page.goBack();
    await page.getByRole('link', { name: 'admin/web' }).waitFor();
    await page.getByRole('searchbox', { name: 'Find a repository' }).fill('vice-2');
    await page.waitForURL('**/repositories?query=vice-2');
    await page.getByRole('link', { name: 'admin/service-20' }).waitFor();
    await page.getByRole('link', { name: 'admin/web' }).waitFor({ state: 'detached' });
    assert.equal(await rows.count(), 10);
    await page.getByRole('searchbox', { name: 'Find a repository' }).fill('nothing');
    await page.getByText('No repository has “nothing” in its name').waitFor();
    await closeWell(watched);
  });

  it('a tag tells its image, the commands that pull it and what refers to it, and is deleted by its name', async () => {
    const { digest } = await pushImage(origin, 'admin/web', '1.0', [Buffer.alloc(300_000, 7)]);
    const retag = await origin.registry('PUT', '/v2/admin/web/manifests/stable', {
      body: (await (await origin.registry('GET', `/v2/admin/web/manifests/${digest}`)).text()) as string,
      headers: { 'Content-Type': imageMediaType },
    });
    assert.equal(retag.status, 201);
    await pushSbom('admin/web', digest);
    const watched = await openSignedIn(browser, origin, undefined, {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const { page } = watched;
    await page.goto(`${origin.url}/repositories/admin/web/tags`);
    const row = page.getByRole('listitem').filter({ hasText: '1.0' });
    await row.getByText('linux/amd64').waitFor();
    await row.getByText('300 kB').waitFor();
    await row.getByText('pushed by admin just now').waitFor();
    await row.getByRole('button', { name: 'Copy the command that pulls 1.0' }).click();
    await page.getByRole('status').getByText('Copied the command that pulls 1.0').waitFor();
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), `docker pull ${host}/admin/web:1.0`);
    await row.getByRole('button', { name: 'Show the details of 1.0' }).click();
    await row.getByText(`docker pull ${host}/admin/web@${digest}`).waitFor();
    await row.getByText('SBOM', { exact: true }).waitFor();

    await row.getByRole('button', { name: 'Delete 1.0' }).click();
    await page.getByText('The image stays under 1 other tag: stable').waitFor();
    await confirmByName(page, '1.0', 'Delete tag');
    await row.waitFor({ state: 'detached' });
    await page.getByText('stable', { exact: true }).waitFor();
    const tags = await ask<{ name: string }[]>(origin, 'GET', '/repositories/admin/web/tags');
    assert.deepEqual(
      tags.map(({ name }) => name),
      ['stable'],
    );
    await closeWell(watched);
  });

  it('settings that are not saved are kept over a reload, asked for on leaving, and saved after the session ended', async () => {
    await ask(origin, 'POST', '/accounts', { name: 'lou', password: 'lou-password' });
    await ask(origin, 'PUT', '/repositories/admin/web/userAccess/lou', { accessLevel: 'admin' });
    const watched = await openSignedIn(browser, origin, 'lou:lou-password');
    const { page } = watched;
    await page.goto(`${origin.url}/repositories/admin/web/settings`);
    await page.getByLabel('Short description').fill('The shop');
    await page.getByRole('link', { name: 'Tags' }).click();
    await page
      .getByRole('dialog', { name: 'Leave without saving?' })
      .getByRole('button', { name: 'Stay' })
      .click();
    const asked = page.waitForEvent('dialog');
    await page.reload();
    assert.equal((await asked).type(), 'beforeunload');
    assert.equal(await page.getByLabel('Short description').inputValue(), 'The shop');

    await ask(origin, 'POST', '/accounts/lou/changePassword', { newPassword: 'lou-password-2' });
    await page.getByRole('button', { name: 'Save changes' }).click();
    const again = page.getByRole('dialog', { name: 'Your session has ended' });
    assert.equal(await again.getByLabel('User name').inputValue(), 'lou');
    await again.getByLabel('Password').fill('lou-password-2');
    await again.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('status').getByText('Saved').waitFor();
    const saved = await ask<{ shortDescription: string }>(origin, 'GET', '/repositories/admin/web');
    assert.equal(saved.shortDescription, 'The shop');
    await closeWell(watched);
  });

  it('access is given to users, changed and taken away', async () => {
    await ask(origin, 'POST', '/accounts', { name: 'kim', password: 'kim-password', fullName: 'Kim Lee' });
    const watched = await openSignedIn(browser, origin);
    const { page } = watched;
    await page.goto(`${origin.url}/repositories/admin/web/access`);
    await page.getByLabel('Give access to a user').fill('ki');
    await page.getByRole('option', { name: 'kim' }).click();
    await page.getByLabel('Level of access').selectOption('read-write');
    await page.getByRole('button', { name: 'Give access' }).click();
    await page.getByRole('status').getByText('Saved the access of kim').waitFor();
    assert.equal(await levelOf('kim'), 'read-write');
    await page.getByRole('combobox', { name: 'Access of kim' }).selectOption('admin');
    await page.getByRole('status').getByText('Saved the access of kim').last().waitFor();
    await page.getByRole('button', { name: 'Take the access of kim away' }).click();
    await page.getByRole('status').getByText('kim has no access any more').waitFor();
    await page.getByRole('combobox', { name: 'Access of kim' }).waitFor({ state: 'detached' });
    await closeWell(watched);
  });

  it('who may only read sees no tabs and nothing to delete', async () => {
    const watched = await openSignedIn(browser, origin, 'kim:kim-password');
    const { page } = watched;
    await page.goto(`${origin.url}/repositories/admin/web/tags`);
    await page.getByText('stable', { exact: true }).waitFor();
    assert.equal(await page.getByRole('link', { name: 'Settings' }).count(), 0);
    assert.equal(await page.getByRole('button', { name: 'Delete stable' }).count(), 0);
    await page.goto(`${origin.url}/admin/users`);
    await page.getByText('There is no page at this address').waitFor();
    await closeWell(watched);
  });

  it('a repository is deleted by its name', async () => {
    const watched = await openSignedIn(browser, origin);
    const { page } = watched;
    await page.goto(`${origin.url}/repositories/admin/web/settings`);
    await page.getByRole('button', { name: 'Delete repository' }).click();
    await page.getByText('All its images and tags are gone at once').waitFor();
    await confirmByName(page, 'admin/web', 'Delete repository');
    await page.waitForURL('**/repositories');
    assert.equal((await origin.api('GET', '/repositories/admin/web')).status, 404);
    await closeWell(watched);
  });

  async function levelOf(user: string): Promise<string | undefined> {
    const { userAccessList } = await ask<{
      userAccessList: { accessLevel: string; user: { name: string } }[];
    }>(origin, 'GET', '/repositories/admin/web/userAccess');
    return userAccessList.find((one) => one.user.name === user)?.accessLevel;
  }
});

/** An SBOM whose subject is the image. */
async function pushSbom(repository: string, subject: string): Promise<void> {
  const config = await pushBlob(origin, repository, Buffer.from('{}'));
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: imageMediaType,
    artifactType: 'application/spdx+json',
    config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: config, size: 2 },
    layers: [{ mediaType: 'application/spdx+json', digest: config, size: 2 }],
    subject: { mediaType: imageMediaType, digest: subject, size: 100 },
  });
  const answer = await origin.registry(
    'PUT',
    `/v2/${repository}/manifests/${digestOf(Buffer.from(manifest))}`,
    {
      body: manifest,
      headers: { 'Content-Type': imageMediaType },
    },
  );
  assert.equal(answer.status, 201, await answer.text());
}
