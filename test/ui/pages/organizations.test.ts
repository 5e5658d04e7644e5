/** Organizations, their members and their teams. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, Route } from 'playwright-core';
import { browserMissing, startBrowser } from '../../setup/browser.ts';
import { startTestOrigin } from '../../setup/origin.ts';
import { ask, closeWell, confirmByName, openSignedIn } from './setup.ts';

const origin = await startTestOrigin();

describe('the pages of organizations', { skip: browserMissing }, () => {
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
    for (const name of ['jane', 'omar'])
      await ask(origin, 'POST', '/accounts', { name, password: `${name}-password` });
  });
  after(() => browser?.close());

  it('an admin makes one, and members of it', async () => {
    const watched = await openSignedIn(browser, origin);
    const { page } = watched;
    await page.goto(`${origin.url}/organizations`);
    await page.getByText('No organizations yet').waitFor();
    await page.getByRole('button', { name: 'New organization' }).first().click();
    const dialog = page.getByRole('dialog', { name: 'New organization' });
    await dialog.getByLabel('Name', { exact: true }).fill('acme');
    await dialog.getByLabel('Full name').fill('Acme Ltd');
    await dialog.getByRole('button', { name: 'Create organization' }).click();
    await page.waitForURL('**/organizations/acme/members');
    await page.getByRole('heading', { name: 'Acme Ltd', level: 1 }).waitFor();
    for (const name of ['jane', 'omar']) {
      await page.getByLabel('Add a member').fill(name);
      await page.getByRole('option', { name }).click();
      await page.getByRole('button', { name: 'Add', exact: true }).click();
      await page.getByRole('combobox', { name: `Role of ${name}` }).waitFor();
    }
    await page.getByLabel('Role of jane').selectOption('owner');
    await page.getByRole('status').getByText('Saved the membership of jane').last().waitFor();
    const members = await ask<{ members: { member: { name: string }; isAdmin: boolean }[] }>(
      origin,
      'GET',
      '/accounts/acme/members',
    );
    assert.deepEqual(
      members.members.map(({ member, isAdmin }) => [member.name, isAdmin]),
      [
        ['jane', true],
        ['omar', false],
      ],
    );
    await closeWell(watched);
  });

  it('an owner makes a team, puts people into it and says what it may', async () => {
    const watched = await openSignedIn(browser, origin, 'jane:jane-password');
    const { page } = watched;
    await page.goto(`${origin.url}/organizations`);
    await page.getByText('owner', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'acme' }).click();
    await page.getByRole('link', { name: 'Teams' }).click();
    await page.getByText('No teams yet').waitFor();
    await page.getByRole('button', { name: 'New team' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('web');
    await page.getByRole('dialog').getByRole('button', { name: 'Create team' }).click();
    await page.waitForURL('**/organizations/acme/teams/web');
    await page.getByText('Nobody is in this team yet').waitFor();
    await page.getByLabel('Add a member').fill('omar');
    await page.getByRole('option', { name: 'omar' }).click();
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('button', { name: 'Take omar out of the team' }).waitFor();
    await page.getByLabel('In all repositories of acme').selectOption('read-write');
    await page.getByRole('status').getByText('Saved').waitFor();
    const access = await ask<{ accessLevel: string }>(
      origin,
      'GET',
      '/repositoryNamespaces/acme/teamAccess/web',
    );
    assert.equal(access.accessLevel, 'read-write');
    await closeWell(watched);
  });

  it('the team is given access to a repository, which its page shows', async () => {
    const watched = await openSignedIn(browser, origin, 'jane:jane-password');
    const { page } = watched;
    await page.goto(`${origin.url}/organizations/acme/repositories`);
    await page.getByRole('button', { name: 'New repository' }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('shop');
    await page.getByRole('dialog').getByRole('button', { name: 'Create repository' }).click();
    await page.waitForURL('**/repositories/acme/shop/tags');
    await page.getByRole('link', { name: 'Access' }).click();
    await page.getByLabel('Give access to a team').selectOption('web');
    await page.getByLabel('Level of access').first().selectOption('admin');
    await page.getByRole('button', { name: 'Give access' }).first().click();
    await page.getByRole('combobox', { name: 'Access of web' }).waitFor();
    await page.getByRole('link', { name: 'web', exact: true }).click();
    await page.getByRole('list', { name: 'Repositories' }).getByRole('link', { name: 'acme/shop' }).waitFor();
    await closeWell(watched);
  });

  it('a choice is shown before it is saved, and is as it was when it cannot be', async () => {
    const watched = await openSignedIn(browser, origin, 'jane:jane-password');
    const { page } = watched;
    const asked = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    const hold = async (route: Route) => {
      if (route.request().method() !== 'PUT') return route.continue();
      asked.resolve();
      await answered.promise;
      return route.fulfill({ status: 500, json: { errors: [{ code: 'INTERNAL_ERROR', message: 'no' }] } });
    };
    const chosen = (name: string) => page.getByRole('combobox', { name }).inputValue();
    await page.route('**/members/omar', hold);
    await page.goto(`${origin.url}/organizations/acme/members`);
    await page.getByRole('combobox', { name: 'Role of omar' }).selectOption('owner');
    await asked.promise;
    assert.equal(await chosen('Role of omar'), 'owner');
    answered.resolve();
    await page.getByRole('alert').getByText('The server failed').waitFor();
    assert.equal(await chosen('Role of omar'), 'member');

    await page.route('**/teamAccess/web', hold);
    await page.goto(`${origin.url}/repositories/acme/shop/access`);
    await page.getByRole('combobox', { name: 'Access of web' }).selectOption('read-only');
    await page.getByRole('alert').getByText('The server failed').waitFor();
    assert.equal(await chosen('Access of web'), 'admin');
    await page.goto(`${origin.url}/organizations/acme/teams/web`);
    await page.getByLabel('In all repositories of acme').selectOption('admin');
    await page.getByRole('alert').getByText('The server failed').waitFor();
    assert.equal(await chosen('In all repositories of acme'), 'read-write');
    await closeWell(watched);
  });

  it('a member sees teams and members, and cannot change them', async () => {
    const watched = await openSignedIn(browser, origin, 'omar:omar-password');
    const { page } = watched;
    await page.goto(`${origin.url}/organizations/acme/members`);
    await page.getByText('owner', { exact: true }).waitFor();
    assert.equal(await page.getByLabel('Add a member').count(), 0);
    assert.equal(await page.getByRole('link', { name: 'Settings' }).count(), 0);
    await page.getByRole('link', { name: 'Teams' }).click();
    await page.getByText('yours', { exact: true }).waitFor();
    await closeWell(watched);
  });

  it('its settings name the cache of its members', async () => {
    const { id } = await ask<{ id: string }>(origin, 'POST', '/content_caches', {
      name: 'region-us',
      host: 'http://127.0.0.1:9',
    });
    const watched = await openSignedIn(browser, origin, 'jane:jane-password', {
      mayAsk: ['http://127.0.0.1:9'],
    });
    const { page } = watched;
    await page.goto(`${origin.url}/organizations/acme/settings`);
    await page.getByRole('radio', { name: 'region-us' }).check();
    await page.getByRole('button', { name: 'Save changes' }).click();
    await page.getByRole('status').getByText('Saved').waitFor();
    const settings = await ask<{ contentCacheUUID: string }>(origin, 'GET', '/accounts/acme/settings');
    assert.equal(settings.contentCacheUUID, id);
    await closeWell(watched);
  });

  it('members are removed, and teams and organizations deleted, by their names', async () => {
    const watched = await openSignedIn(browser, origin, undefined, { mayAsk: ['http://127.0.0.1:9'] });
    const { page } = watched;
    await page.goto(`${origin.url}/organizations/acme/members`);
    await page.getByRole('button', { name: 'Remove omar' }).click();
    await confirmByName(page, 'omar', 'Remove member');
    await page.getByLabel('Role of omar').waitFor({ state: 'detached' });
    await page.goto(`${origin.url}/organizations/acme/teams/web`);
    await page.getByRole('button', { name: 'Delete team' }).click();
    await confirmByName(page, 'web', 'Delete team');
    await page.getByText('No teams yet').waitFor();
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByRole('button', { name: 'Delete organization' }).click();
    await confirmByName(page, 'acme', 'Delete organization');
    await page.getByText('No organizations yet').waitFor();
    assert.equal((await origin.api('GET', '/accounts/acme')).status, 404);
    await closeWell(watched);
  });
});
