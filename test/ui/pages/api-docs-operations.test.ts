/**
 * "Try it out" works for every operation of the API docs: in a real browser, with what the page itself fills in, as one
 * story in which whatever an operation needs was made by those before it.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { authorize, execute, openDocs } from '../../setup/api-docs-page.ts';
import { browserMissing, openPage, startBrowser, type WatchedPage } from '../../setup/browser.ts';
import { documentedOperations } from '../../setup/documented-operations.ts';
import { pushImage, startTestOrigin } from '../../setup/origin.ts';

const origin = await startTestOrigin();
/** Where jane is as she was made: the story ends with nothing of her left as it was. */
const janesOrigin = await startTestOrigin();

/** By the admin, with a password, in this order. */
const byPassword = [
  'CreateAccount',
  'ListAccounts',
  'GetAccount',
  'UpdateAccount',
  'GetUserSettings',
  'ListOrganizations',
  'PutMember',
  'ListMembers',
  'GetMember',
  'UpdateMember',
  'CreateTeam',
  'ListTeams',
  'GetTeam',
  'UpdateTeam',
  'PutTeamMember',
  'ListTeamMembers',
  'GetTeamMember',
  'CreateRepository',
  'ListRepositories',
  'ListNamespaceRepositories',
  'GetRepository',
  'UpdateRepository',
  'PutRepositoryTeamAccess',
  'ListRepositoryTeamAccess',
  'ListTeamRepositoryAccess',
  'PutRepositoryUserAccess',
  'ListRepositoryUserAccess',
  'GetUserRepositoryAccess',
  'PutNamespaceTeamAccess',
  'ListNamespaceTeamAccess',
  'GetNamespaceTeamAccess',
  'ListTags',
  'GetTag',
  'ListManifests',
  'GetManifest',
  'ListReferrers',
  'Autocomplete',
  'DockerSearch',
  'CreateAPIToken',
  'ListAPITokens',
  'GetAPIToken',
  'UpdateAPIToken',
  'CreateContentCache',
  'ListContentCaches',
  'GetContentCache',
  'ProbeContentCache',
  'GetContentCacheUsage',
  'UpdateUserSettings',
  'ListContentCacheUsers',
  'CreateContentCacheRule',
  'ListContentCacheRules',
  'GetContentCacheRule',
  'UpdateContentCacheRule',
  'ExplainContentCacheChoice',
  'CreatePrefetchRule',
  'ListPrefetchRules',
  'GetPrefetchRule',
  'UpdatePrefetchRule',
  'CreateJob',
  'ListJobs',
  'GetJob',
  'GetJobLogs',
  'CancelJob',
  'UpdateContentCache',
  'GetSettings',
  'UpdateSettings',
  'GetFeatures',
  'GetClusterStatus',
  'GetVersion',
  'ListEvents',
  // What was made is taken away, from the smallest to what everything was in.
  'DeleteJob',
  'DeletePrefetchRule',
  'DeleteContentCacheRule',
  'DeleteContentCache',
  'DeleteAPIToken',
  'DeleteAPITokens',
  'DeleteTag',
  'DeleteManifest',
  'DeleteNamespaceTeamAccess',
  'DeleteRepositoryUserAccess',
  'DeleteRepositoryTeamAccess',
  'DeleteRepository',
  'DeleteAccountRepositories',
  'DeleteTeamMember',
  'DeleteTeam',
  'DeleteMember',
  'ChangePassword',
  'DeleteAccount',
];

/** As jane, with the cookie that the first of them sets: who authorizes every request has no session to read or end. */
const bySession = ['CreateSession', 'GetSession', 'DeleteSession'];

/** Operations that make something, the member of their answer that names it, and how the examples of the others call it. */
const makers = new Map([
  ['CreateContentCache', { member: 'id', example: '0b1f6b5e-5f0a-4c57-9c55-6f2f8d6f1e11' }],
  ['CreateContentCacheRule', { member: 'id', example: '5d2c7a90-3b1e-4c8f-a6d4-9e0f1a2b3c4d' }],
  ['CreatePrefetchRule', { member: 'id', example: '8f14e45f-ceea-467f-a3b2-1c2d3e4f5a6b' }],
  ['CreateJob', { member: 'id', example: '3d5b9c1e-0a51-4a7e-9f0c-6f0f4f7f6a10' }],
  [
    'CreateAPIToken',
    {
      member: 'hashedToken',
      example: '5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef',
    },
  ],
]);

it('the story has every operation of the contract in it, once', () => {
  assert.deepEqual([...byPassword, ...bySession].sort(), [...documentedOperations.keys()].sort());
});

describe('each operation, tried out as the page fills it in', { skip: browserMissing }, () => {
  let browser: Browser;
  before(async () => {
    browser = await startBrowser();
  });
  after(() => browser?.close());

  let docs: WatchedPage;
  /** What the examples call things, and what this origin calls them. */
  const given = new Map<string, string>();
  const parameters = new Map<string, Record<string, string>>();

  async function tryOut(id: string): Promise<void> {
    const input = { parameters: parameters.get(id) ?? {}, inPlaceOf: given };
    const { status, body } = await execute(docs.page, id, input);
    const { responses } = documentedOperations.get(id)?.operation ?? { responses: {} };
    assert.ok(String(status) in responses, `${status} is not documented: ${body}`);
    assert.equal(Math.floor(status / 100), 2, `${status} ${body}`);
    const made = makers.get(id);
    if (made !== undefined) given.set(made.example, JSON.parse(body)[made.member]);
    assert.deepEqual(docs.complaints, []);
  }

  describe('by an admin who authorized with a password', () => {
    before(async () => {
      await origin.api('POST', '/accounts', { name: 'acme', isOrg: true });
      docs = await openWatched(browser, origin.url);
      await authorize(docs.page, 'admin', origin.adminPassword);
    });
    after(() => docs?.page.context().close());

    for (const id of byPassword) {
      it(id, async () => {
        await tryOut(id);
        if (id !== 'CreateRepository') return;
        const { digest } = await pushImage(origin, 'acme/web', '1.4', [Buffer.from('layer')]);
        // Manifests are deleted by their digests alone.
        parameters.set('DeleteManifest', { reference: digest });
      });
    }
  });

  describe('by jane, with the cookie of her session', () => {
    before(async () => {
      await janesOrigin.api('POST', '/accounts', { name: 'jane', password: 'correct horse battery' });
      docs = await openWatched(browser, janesOrigin.url);
    });
    after(() => docs?.page.context().close());

    for (const id of bySession) it(id, () => tryOut(id));
  });
});

/** The docs, on a page that takes errors in its console for complaints, too. */
async function openWatched(browser: Browser, origin: string): Promise<WatchedPage> {
  const watched = await openPage(browser, origin);
  watched.page.on('console', (message) => {
    // Before a change that nobody authorized, the page asks whether somebody is signed in; the browser notes that nobody is.
    const isAboutSession = message.location().url.endsWith('/api/v0/session');
    if (message.type() === 'error' && !isAboutSession) watched.complaints.push(message.text());
  });
  await openDocs(watched.page, origin);
  return watched;
}
