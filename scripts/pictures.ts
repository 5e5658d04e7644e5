/** What there is to see in the web UI: each page, dialog and step, and how it looks with nothing, too much, or trouble. */
import type { Page } from 'playwright-core';
import type { DemoRegistry } from './demo-registry.ts';
import { long, makeLongNames } from './long-names.ts';

export interface Picture {
  readonly name: string;
  readonly path: string;
  /** Who looks: the admin, unless it says who, or `nobody`. */
  readonly as?: string;
  /** What has happened at the registry by then; it stays for the pictures after. */
  readonly prepare?: (registry: DemoRegistry) => Promise<unknown>;
  /** What is done before the picture is taken. */
  readonly act?: (page: Page) => Promise<unknown>;
  /** What the browser is told instead of the registry, by paths, or beginnings of them with a `*`. */
  readonly stubs?: Record<string, 'never' | 'broken' | { readonly status: number; readonly body: unknown }>;
  readonly height?: number;
}

type Act = (page: Page) => Promise<unknown>;

const click =
  (name: string): Act =>
  (page) =>
    page.getByRole('button', { name }).first().click();

const fill =
  (label: string | RegExp, text: string): Act =>
  (page) =>
    page.getByLabel(label, { exact: true }).fill(text);

/** In the dialog that is open: its button of this name. */
const press =
  (name: string): Act =>
  (page) =>
    page.getByRole('dialog').getByRole('button', { name }).click();

const choose =
  (name: string | RegExp): Act =>
  (page) =>
    page.getByRole('radio', { name }).check();

const pick =
  (label: string, option: string): Act =>
  (page) =>
    page.getByLabel(label, { exact: true }).selectOption(option);

const goTo =
  (link: string): Act =>
  (page) =>
    page.getByRole('link', { name: link }).first().click();

const inMenu =
  (menu: string, item: string): Act =>
  async (page) => {
    await page.getByRole('button', { name: menu }).click();
    await page.getByRole('menuitem', { name: item }).click();
  };

const inTurn =
  (...acts: Act[]): Act =>
  async (page) => {
    for (const act of acts) await act(page);
  };

const askWhy = (repository: string) =>
  inTurn(
    fill('User', 'jane'),
    fill('From the address', '10.48.7.21'),
    fill('Repository', repository),
    click('Ask'),
  );

const failed = {
  status: 500,
  body: {
    errors: [
      {
        code: 'INTERNAL_ERROR',
        message: 'the server failed',
        detail: { requestId: 'b5f0a9c1-6a0e-4d5e-9c39-2f8f8f1f3f10' },
      },
    ],
  },
} as const;

const job = (number: number) => `/admin/jobs/00000000-0000-4000-8000-00000000010${number}`;

export function companyPictures(cacheId: (name: string) => string): Picture[] {
  return [
    { name: 'sign-in', as: 'nobody', path: '/sign-in' },
    {
      name: 'sign-in-refused',
      as: 'nobody',
      path: '/sign-in',
      act: inTurn(fill('User name', 'jane'), fill('Password', 'guessed'), click('Sign in')),
    },
    {
      name: 'session-ended',
      path: '/repositories',
      act: async (page) => {
        await page.route(/\/api\/v0\/accounts/, (route) => route.fulfill({ status: 401, body: '{}' }));
        await goTo('Organizations')(page);
        await page.getByRole('dialog').waitFor();
      },
    },
    {
      name: 'server-away',
      path: '/repositories',
      stubs: { '/api/v0/session': 'broken' },
      act: (page) => page.getByRole('alert').waitFor(),
    },
    { name: 'page-crashed', path: '/admin/system', stubs: { '/assets/system-*': 'broken' } },
    { name: 'not-found', path: '/nothing' },
    { name: 'api-docs', path: '/docs/api/' },

    { name: 'repositories', path: '/repositories' },
    { name: 'repositories-of-jane', as: 'jane', path: '/repositories' },
    { name: 'repositories-none-found', path: '/repositories?query=mongodb' },
    { name: 'repositories-loading', path: '/repositories', stubs: { '/api/v0/repositories': 'never' } },
    { name: 'repositories-failed', path: '/repositories', stubs: { '/api/v0/repositories': failed } },
    { name: 'new-repository', path: '/repositories', act: click('New repository') },
    {
      name: 'new-repository-refused',
      path: '/organizations/acme/repositories',
      act: inTurn(click('New repository'), fill('Name', 'Web'), press('Create repository')),
    },
    {
      name: 'tags',
      path: '/repositories/acme/web/tags',
      act: click('Show the details of 1.4.2'),
      height: 1_150,
    },
    { name: 'tags-for-readers', as: 'sofia', path: '/repositories/acme/web/tags' },
    { name: 'tags-none-found', path: '/repositories/acme/web/tags?query=v2' },
    { name: 'tags-none', path: '/repositories/acme/api/tags' },
    {
      name: 'tag-of-one-platform',
      path: '/repositories/acme/web/tags',
      act: click('Show the details of nightly'),
    },
    { name: 'delete-tag', path: '/repositories/acme/web/tags', act: click('Delete 1.4.2') },
    {
      name: 'delete-image',
      path: '/repositories/acme/web/tags',
      act: inTurn(click('Delete 1.4.2'), (page) =>
        page.getByRole('checkbox', { name: 'Delete the image itself' }).check(),
      ),
    },
    { name: 'repository-not-found', path: '/repositories/acme/nothing/tags' },
    { name: 'access', path: '/repositories/acme/web/access' },
    {
      name: 'access-to-pick',
      path: '/repositories/acme/web/access',
      act: async (page) => {
        await page.getByRole('combobox', { name: 'Give access to a user' }).pressSequentially('o');
        await page.getByRole('option').first().waitFor();
      },
    },
    { name: 'access-none', path: '/repositories/acme/api/access' },
    {
      name: 'access-refused',
      path: '/repositories/acme/api/access',
      act: async (page) => {
        await page.getByRole('combobox', { name: 'Give access to a user' }).fill('nobody-of-this-name');
        await page.keyboard.press('Enter');
      },
    },
    { name: 'repository-settings', path: '/repositories/acme/web/settings', height: 1_150 },
    {
      name: 'repository-settings-changed',
      path: '/repositories/acme/web/settings',
      act: fill('Short description', 'The web shop of all countries'),
      height: 1_150,
    },
    {
      name: 'unsaved',
      path: '/repositories/acme/web/settings',
      act: inTurn(fill('Short description', 'The web shop of all countries'), goTo('Organizations')),
    },
    {
      name: 'delete-repository',
      path: '/repositories/acme/web/settings',
      act: click('Delete repository'),
    },

    { name: 'content-cache-setting', path: '/users/admin/settings' },
    {
      name: 'content-cache-setting-changed',
      path: '/users/admin/settings',
      act: choose(/region-us/),
    },
    { name: 'content-cache-setting-none', path: '/users/admin/settings', act: choose(/^None/) },
    { name: 'content-cache-setting-automatic', as: 'jane', path: '/users/jane/settings' },
    {
      name: 'content-cache-setting-failed',
      path: '/users/admin/settings',
      stubs: { '/api/v0/content_caches': failed },
    },
    { name: 'menu', path: '/users/admin/settings', act: click('Menu of admin') },
    { name: 'menu-of-jane', as: 'jane', path: '/users/jane/settings', act: click('Menu of jane') },
    { name: 'password', path: '/users/admin/password' },
    {
      name: 'password-refused',
      path: '/users/admin/password',
      act: inTurn(
        fill('Password so far', 'guessed-wrongly'),
        fill('New password', 'correct horse battery'),
        fill('New password, once more', 'correct horse battery'),
        click('Change password'),
      ),
    },
    {
      name: 'password-differs',
      path: '/users/jane/password',
      act: inTurn(fill('New password', 'short'), fill('New password, once more', 'shorter')),
    },
    { name: 'tokens', path: '/users/admin/tokens' },
    { name: 'tokens-none', path: '/users/ci-runner/tokens' },
    { name: 'new-token', path: '/users/ci-runner/tokens', act: click('New access token') },
    {
      name: 'new-token-made',
      path: '/users/jane/tokens',
      act: inTurn(click('New access token'), fill('Label', 'laptop'), press('Create access token')),
    },
    { name: 'revoke-token', path: '/users/admin/tokens', act: click('Revoke') },
    { name: 'activity', path: '/users/admin/activity' },
    { name: 'activity-none', path: '/users/ci-runner/activity' },
    { name: 'profile-deactivated', path: '/users/li/settings' },
    { name: 'profile-not-found', path: '/users/nobody-of-this-name/settings' },

    { name: 'organizations', path: '/organizations' },
    { name: 'organizations-of-jane', as: 'jane', path: '/organizations' },
    { name: 'organizations-none-found', path: '/organizations?query=zz' },
    { name: 'new-organization', path: '/organizations', act: click('New organization') },
    {
      name: 'new-organization-refused',
      path: '/organizations',
      act: inTurn(click('New organization'), fill('Name', 'acme'), press('Create organization')),
    },
    { name: 'organization-repositories', path: '/organizations/acme/repositories' },
    { name: 'members', path: '/organizations/acme/members' },
    { name: 'members-for-members', as: 'omar', path: '/organizations/acme/members' },
    { name: 'members-none', path: '/organizations/research/members' },
    { name: 'remove-member', path: '/organizations/acme/members', act: click('Remove sofia') },
    { name: 'teams', path: '/organizations/acme/teams' },
    { name: 'teams-none', path: '/organizations/research/teams' },
    { name: 'new-team', path: '/organizations/acme/teams', act: click('New team') },
    { name: 'team', path: '/organizations/acme/teams/shop' },
    { name: 'team-for-members', as: 'omar', path: '/organizations/acme/teams/sre' },
    {
      name: 'team-none',
      path: '/organizations/platform/teams/builders',
      prepare: ({ ask }) =>
        ask('POST', '/api/v0/accounts/platform/teams', { name: 'builders', description: '' }),
    },
    { name: 'delete-team', path: '/organizations/acme/teams/shop', act: click('Delete team') },
    { name: 'organization-settings', path: '/organizations/acme/settings' },
    {
      name: 'delete-organization',
      path: '/organizations/acme/settings',
      act: click('Delete organization'),
    },
    { name: 'organization-for-outsiders', as: 'omar', path: '/organizations/platform/repositories' },

    { name: 'content-caches', path: '/admin/content-caches' },
    {
      name: 'content-caches-loading',
      path: '/admin/content-caches',
      stubs: { '/api/v0/content_caches': 'never' },
    },
    { name: 'content-cache', path: `/admin/content-caches/${cacheId('eu-central')}`, height: 1_200 },
    {
      name: 'content-cache-month',
      path: `/admin/content-caches/${cacheId('eu-central')}`,
      act: pick('Period', 'month'),
      height: 1_200,
    },
    { name: 'content-cache-down', path: `/admin/content-caches/${cacheId('ap-south')}` },
    { name: 'content-cache-not-found', path: '/admin/content-caches/00000000-0000-4000-8000-000000000000' },
    { name: 'add-content-cache', path: '/admin/content-caches', act: click('Add a cache') },
    {
      name: 'add-content-cache-refused',
      path: '/admin/content-caches',
      act: inTurn(
        click('Add a cache'),
        fill('Name', 'Region-US'),
        fill('Host', 'https://cache-boston.example.com'),
        press('Add cache'),
      ),
    },
    { name: 'edit-content-cache', path: '/admin/content-caches', act: click('Edit eu-central') },
    { name: 'remove-content-cache', path: '/admin/content-caches', act: click('Remove region-us') },
    { name: 'network-rules', path: '/admin/network-rules', act: askWhy('acme/web'), height: 1_100 },
    {
      name: 'network-rules-no-answer',
      path: '/admin/network-rules',
      act: askWhy('acme/nothing'),
      height: 1_100,
    },
    { name: 'add-network-rule', path: '/admin/network-rules', act: click('Add a rule') },
    {
      name: 'add-network-rule-refused',
      path: '/admin/network-rules',
      act: inTurn(click('Add a rule'), fill('Network', '10.20.0.0/33'), press('Add rule')),
    },
    {
      name: 'remove-network-rule',
      path: '/admin/network-rules',
      act: click('Remove the rule for 10.20.0.0/16'),
    },
    { name: 'jobs', path: '/admin/jobs', height: 960 },
    { name: 'job', path: job(0) },
    { name: 'job-done', path: job(1) },
    { name: 'job-failed', path: job(3) },
    { name: 'job-not-found', path: job(9) },
    { name: 'prefetch', path: '/admin/jobs', act: click('Prefetch an image') },
    {
      name: 'prefetch-refused',
      path: '/admin/jobs',
      act: inTurn(
        click('Prefetch an image'),
        fill('Repository', 'acme/web'),
        fill(/^Tag or digest/, '2.0'),
        choose('Only at these'),
        (page) => page.getByRole('checkbox', { name: 'eu-central' }).check(),
        press('Prefetch'),
      ),
      height: 960,
    },
    { name: 'purge', path: '/admin/jobs', act: click('Purge') },
    {
      name: 'purge-digests',
      path: '/admin/jobs',
      act: inTurn(click('Purge'), choose('Single blobs'), choose('Only at these')),
      height: 1_100,
    },
    { name: 'prefetch-rule', path: '/admin/jobs', act: click('Edit the rule for platform') },
    { name: 'remove-prefetch-rule', path: '/admin/jobs', act: click('Remove the rule for platform') },
    { name: 'users', path: '/admin/users' },
    { name: 'users-none-found', path: '/admin/users?query=zz' },
    { name: 'user-menu', path: '/admin/users', act: click('What to do with jane') },
    { name: 'deactivate-user', path: '/admin/users', act: inMenu('What to do with jane', 'Deactivate') },
    { name: 'delete-user', path: '/admin/users', act: inMenu('What to do with jane', 'Delete') },
    { name: 'new-user', path: '/admin/users', act: click('New user') },
    { name: 'events', path: '/admin/events' },
    { name: 'events-filtered', path: '/admin/events?eventType=CREATE&objectName=acme%2Fweb&outcome=done' },
    { name: 'events-none-found', path: '/admin/events?actorId=jane&day=2001-09-09' },
    { name: 'system', path: '/admin/system' },
    {
      name: 'system-failed',
      path: '/admin/system',
      stubs: { '/api/v0/meta/settings': failed, '/api/v0/admin/version': failed },
    },
    {
      name: 'admin-for-others',
      as: 'jane',
      path: '/admin/users',
    },
    {
      name: 'notice',
      path: '/repositories/acme/web/tags',
      act: click('Copy the command that pulls 1.4.0'),
    },
  ];
}

/** What is waited for is told by the cache, of which there is none here. */
const served = {
  status: 200,
  body: {
    by: 'repository',
    usage: [
      {
        group: 'admin/app',
        redirects: 4,
        hits: 0,
        misses: 4,
        errors: 0,
        bytesServed: 4e6,
        bytesFetched: 4e6,
        bytesSaved: 0,
      },
    ],
    totals: {},
  },
} as const;

const trouble = inTurn(
  click('Edit region-us'),
  fill('Host', 'https://127.0.0.1:9'),
  press('Save changes'),
  (page) => page.getByRole('dialog').getByText('It is saved').waitFor(),
);

/** From a first start on, in this order. */
export const firstRunPictures: Picture[] = [
  { name: 'getting-started', path: '/getting-started' },
  {
    name: 'getting-started-failed',
    path: '/getting-started',
    stubs: { '/api/v0/accounts/admin/settings': failed },
  },
  { name: 'no-repositories', path: '/repositories' },
  { name: 'no-organizations', path: '/organizations' },
  { name: 'no-content-caches', path: '/admin/content-caches' },
  { name: 'no-content-caches-to-choose', path: '/users/admin/settings' },
  { name: 'no-network-rules', path: '/admin/network-rules' },
  { name: 'no-jobs', path: '/admin/jobs' },
  {
    name: 'no-caches-to-prefetch',
    path: '/admin/jobs',
    act: inTurn(click('Prefetch an image'), choose('Only at these')),
  },
  {
    name: 'new-user-made',
    path: '/admin/users',
    // Another one for each width.
    act: (page) =>
      inTurn(
        click('New user'),
        fill('User name', `jane-${page.viewportSize()?.width}`),
        press('Create user'),
      )(page),
  },
  {
    name: 'getting-started-2-choose',
    path: '/getting-started',
    prepare: ({ ask }) =>
      ask('POST', '/api/v0/content_caches', {
        name: 'region-us',
        host: 'https://cache-virginia.example.com',
      }),
  },
  {
    name: 'getting-started-3-sign-in',
    path: '/getting-started',
    prepare: async ({ ask }) => {
      const [cache] = JSON.parse(await ask('GET', '/api/v0/content_caches')) as { id: string }[];
      await ask('PATCH', '/api/v0/accounts/admin/settings', { contentCacheUUID: cache?.id });
    },
  },
  { name: 'getting-started-4-push', path: '/getting-started', prepare: ({ signIn }) => signIn() },
  { name: 'getting-started-5-pull', path: '/getting-started', prepare: ({ push }) => push('admin/app', '1') },
  { name: 'getting-started-6-told', path: '/getting-started', prepare: ({ pull }) => pull('admin/app', '1') },
  {
    name: 'getting-started-7-done',
    path: '/getting-started',
    stubs: { '/api/v0/content_caches/*': served },
  },
  { name: 'add-content-cache-trouble', path: '/admin/content-caches', act: trouble },
  { name: 'content-cache-not-looked-at', path: '/admin/content-caches' },
  { name: 'long-repositories', path: '/repositories', prepare: makeLongNames },
  {
    name: 'long-tags',
    path: `/repositories/${long.organization}/${long.repository}/tags`,
    act: click('Show the details of'),
  },
  {
    name: 'long-delete-tag',
    path: `/repositories/${long.organization}/${long.repository}/tags`,
    act: click('Delete '),
  },
  { name: 'long-access', path: `/repositories/${long.organization}/${long.repository}/access` },
  {
    name: 'long-delete-repository',
    path: `/repositories/${long.organization}/${long.repository}/settings`,
    act: click('Delete repository'),
  },
  { name: 'long-organizations', path: '/organizations' },
  { name: 'long-organization', path: `/organizations/${long.organization}/repositories` },
  { name: 'long-members', path: `/organizations/${long.organization}/members` },
  { name: 'long-teams', path: `/organizations/${long.organization}/teams` },
  { name: 'long-team', path: `/organizations/${long.organization}/teams/${long.team}` },
  { name: 'long-users', path: '/admin/users' },
  { name: 'long-profile', path: `/users/${long.user}/settings` },
  { name: 'long-menu', as: long.user, path: '/repositories', act: click('Menu of') },
  { name: 'long-tokens', path: `/users/${long.user}/tokens` },
  { name: 'long-revoke-token', path: `/users/${long.user}/tokens`, act: click('Revoke') },
  { name: 'long-content-caches', path: '/admin/content-caches' },
  { name: 'long-content-cache-setting', path: '/users/admin/settings' },
  { name: 'long-content-cache', path: '/admin/content-caches', act: goTo('a-cache') },
  { name: 'long-remove-content-cache', path: '/admin/content-caches', act: click('Remove a-cache') },
  { name: 'long-network-rules', path: '/admin/network-rules' },
  { name: 'long-jobs', path: '/admin/jobs' },
  { name: 'long-job', path: '/admin/jobs', act: goTo('Prefetch an-organization') },
  { name: 'long-events', path: '/admin/events' },
  { name: 'long-activity', path: `/users/admin/activity` },
];
