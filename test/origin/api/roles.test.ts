/**
 * Who may do what: every operation of the contract by every role, as one table. Refusals come before anything is said of what
 * there is: 403 for what is known to exist, 404 for a repository that the caller may not see.
 */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { loadContract } from '../../../src/origin/api/openapi.ts';
import { basic, pushImage } from '../../setup/origin.ts';
import { type Answer, startApi } from './api.ts';

const roles = ['nobody', 'stranger', 'member', 'reader', 'writer', 'manager', 'owner', 'admin'] as const;
type Role = (typeof roles)[number];

/**
 * One letter per role, in the order above. `+` may; `u` 401, nobody in particular; `-` 403; `0` 404 as if it did not exist;
 * `s` a session is asked for.
 * `acme` is an organization of everyone but the stranger; reader, writer and manager have `read-only`, `read-write` and `admin` access to its
 * private repository `acme/web` by teams.
 */
const table: [rights: string, operations: string][] = [
  [
    'u+++++++',
    `ListContentCaches GetContentCache ListAccounts GetAccount ListRepositories ListNamespaceRepositories Autocomplete
     DockerSearch ListEvents GetFeatures GetVersion`,
  ],
  [
    'u------+',
    `CreateContentCache UpdateContentCache DeleteContentCache ProbeContentCache ListContentCacheUsers CreateAccount DeleteAccount DeleteAccountRepositories GetSettings
     UpdateSettings GetClusterStatus GetContentCacheUsage CreateContentCacheRule GetContentCacheRule ListContentCacheRules
     UpdateContentCacheRule DeleteContentCacheRule CreateJob GetJob GetJobLogs ListJobs CancelJob DeleteJob CreatePrefetchRule
     GetPrefetchRule ListPrefetchRules UpdatePrefetchRule DeletePrefetchRule`,
  ],
  // The path or the query names the stranger.
  ['u+-----+', `ChangePassword ListOrganizations ListAPITokens CreateAPIToken DeleteAPITokens`],
  // The stranger has no access to what the path names: then it does not exist, whoever may ask.
  ['u0-----0', 'GetUserRepositoryAccess'],
  ['u0-----+', 'ExplainContentCacheChoice'],
  // A token that does not exist, or is somebody else's, is the same.
  ['u0000000', 'GetAPIToken UpdateAPIToken DeleteAPIToken'],
  // The path names the organization.
  ['u-----++', 'GetUserSettings UpdateUserSettings UpdateAccount'],
  [
    'u-++++++',
    `ListMembers GetMember ListTeams GetTeam ListTeamMembers GetTeamMember GetNamespaceTeamAccess`,
  ],
  // The path names the team of the reader.
  ['u--+--++', 'ListTeamRepositoryAccess'],
  [
    'u-----++',
    `PutMember UpdateMember DeleteMember CreateTeam UpdateTeam DeleteTeam PutTeamMember DeleteTeamMember CreateRepository
     ListNamespaceTeamAccess PutNamespaceTeamAccess DeleteNamespaceTeamAccess`,
  ],
  ['u00+++++', 'GetRepository ListTags GetTag ListManifests GetManifest ListReferrers'],
  ['u00-++++', 'DeleteTag DeleteManifest'],
  [
    'u00--+++',
    `UpdateRepository ListRepositoryTeamAccess PutRepositoryTeamAccess DeleteRepositoryTeamAccess
     ListRepositoryUserAccess PutRepositoryUserAccess DeleteRepositoryUserAccess`,
  ],
  // Deleting what does not exist is no error, nor is it a change.
  ['u++--+++', 'DeleteRepository'],
  ['usssssss', 'GetSession DeleteSession'],
  ['ssssssss', 'CreateSession'],
];

const { document } = loadContract();
const operations = new Map(
  Object.entries(document.paths).flatMap(([path, item]) =>
    (['get', 'put', 'post', 'patch', 'delete'] as const).flatMap((method) => {
      const id = item[method]?.operationId;
      return id === undefined ? [] : [[id, { method: method.toUpperCase(), path }] as const];
    }),
  ),
);

/** What the paths name; where several operations share a parameter, what suits most of them. */
const parameters: Record<string, string> = {
  contentcacheuuid: '00000000-0000-4000-8000-000000000000',
  namespace: 'acme',
  orgname: 'acme',
  reponame: 'web',
  teamname: 'readers',
  member: 'reader',
  tag: 'missing',
  hashedtoken: 'f'.repeat(64),
  ruleuuid: '00000000-0000-4000-8000-000000000000',
  ruleID: '00000000-0000-4000-8000-000000000000',
  jobID: '00000000-0000-4000-8000-000000000000',
};
const special: Record<string, { path?: Record<string, string>; query?: string; body?: object }> = {
  GetUserSettings: { path: { username: 'acme' } },
  UpdateUserSettings: { path: { username: 'acme' } },
  ChangePassword: { body: { newPassword: 'short' } },
  ExplainContentCacheChoice: { query: '?username=stranger&repository=acme/web' },
  ListAPITokens: { query: '?username=stranger' },
  CreateAPIToken: { query: '?username=stranger' },
  DeleteAPITokens: { query: '?username=stranger&usedbefore=2001-01-01T00:00:00Z' },
  CreateAccount: { body: { name: 'taken' } },
  DeleteAccount: { path: { namespace: 'nobody-here' } },
  DeleteAccountRepositories: { path: { namespace: 'nobody-here' } },
  Autocomplete: { query: '?query=w' },
  DockerSearch: { query: '?q=w' },
  CreateContentCache: { body: { name: 'x', host: 'none' } },
  CreateTeam: { body: { name: 'readers' } },
  CreateRepository: { body: { name: 'web' } },
  PutRepositoryTeamAccess: { body: { accessLevel: 'read-only' } },
  PutNamespaceTeamAccess: { path: { teamname: 'empty' }, body: { accessLevel: 'read-only' } },
  GetNamespaceTeamAccess: { path: { teamname: 'empty' } },
  DeleteNamespaceTeamAccess: { path: { teamname: 'empty' } },
  PutRepositoryUserAccess: { path: { username: 'missing' }, body: { accessLevel: 'read-only' } },
  DeleteRepositoryUserAccess: { path: { username: 'missing' } },
  DeleteTeam: { path: { teamname: 'missing' } },
  DeleteMember: { path: { member: 'nobody-here' } },
  DeleteTeamMember: { path: { member: 'nobody-here' } },
  DeleteRepositoryTeamAccess: { path: { teamname: 'empty' } },
};

const api = await startApi();
const passwordOf = (role: Role) => (role === 'admin' ? api.origin.adminPassword : `${role}-password`);
let digest = '';

before(async () => {
  const ask = async (method: string, path: string, body?: unknown) => {
    const answer = await api.ask(method, `/api/v0${path}`, { body });
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`);
  };
  await ask('POST', '/accounts', { name: 'acme', isOrg: true });
  for (const role of roles.slice(1, -1)) {
    await ask('POST', '/accounts', { name: role, password: passwordOf(role) });
    if (role !== 'stranger')
      await ask('PUT', `/accounts/acme/members/${role}`, { isAdmin: role === 'owner' });
  }
  await ask('POST', '/accounts/acme/teams', { name: 'empty' });
  ({ digest } = await pushImage(api.origin, 'acme/web', '1', [Buffer.from('layer')]));
  for (const [role, team, accessLevel] of [
    ['reader', 'readers', 'read-only'],
    ['writer', 'writers', 'read-write'],
    ['manager', 'managers', 'admin'],
  ] as const) {
    await ask('POST', '/accounts/acme/teams', { name: team });
    await ask('PUT', `/accounts/acme/teams/${team}/members/${role}`);
    await ask('PUT', `/repositories/acme/web/teamAccess/${team}`, { accessLevel });
  }
});

function ask(id: string, role: Role, headers: Record<string, string> = {}): Promise<Answer> {
  const { method, path } = operations.get(id) as { method: string; path: string };
  const { path: own = {}, query = '', body } = special[id] ?? {};
  const named = { username: 'stranger', reference: digest, ...parameters, ...own } as Record<string, string>;
  const filled = path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => named[name] as string);
  const authorization = { Authorization: basic(`${role}:${passwordOf(role)}`) };
  return api.ask(method, `${filled}${query}`, {
    as: 'nobody',
    // What would change something is stopped by its condition, after the rights were looked at.
    headers: { ...(role === 'nobody' ? {} : authorization), 'If-Match': '"another"', ...headers },
    ...(method === 'GET' || method === 'DELETE' ? {} : { body: body ?? {} }),
  });
}

const hidden = new Set(['NO_SUCH_REPOSITORY', 'NO_SUCH_API_TOKEN']);

function judged({ status, code }: Answer): string {
  if (status === 401) return 'u';
  if (status === 403) return '-';
  if (status === 404 && hidden.has(code ?? '')) return '0';
  return '+';
}

it('the table has every operation of the contract once', () => {
  const named = table.flatMap(([, list]) => list.split(/\s+/));
  assert.deepEqual([...named].sort(), [...operations.keys()].sort());
});

for (const [rights, list] of table) {
  for (const id of list.split(/\s+/)) {
    describe(id, () => {
      for (const [index, role] of roles.entries()) {
        const expected = rights[index];
        if (expected === 's') continue;
        it(`${role}: ${expected}`, async () => {
          const answer = await ask(id, role);
          assert.equal(judged(answer), expected, answer.text);
        });
      }
    });
  }
}

describe('an access token that only reads', () => {
  it('reads what its user may, and changes nothing, whoever they are', async () => {
    const created = await api.ask('POST', '/api/v0/api_tokens', {
      body: { tokenLabel: 'reads', access: 'read-only' },
    });
    assert.equal(created.status, 200, created.text);
    const headers = { Authorization: basic(`admin:${created.body.token}`) };
    for (const [id, { method }] of operations) {
      if (/Session$/.test(id)) continue;
      const answer = await ask(id, 'admin', headers);
      if (method === 'GET') assert.ok(answer.status < 400 || answer.status === 404, `${id}: ${answer.text}`);
      else assert.equal(answer.status, 403, `${id}: ${answer.text}`);
    }
  });
});
