/**
 * Who may call what: every operation by every role, as one table. A body that no operation takes, and names that nobody has, show
 * whether somebody was let in (400, 404, 200) without changing anything; a refusal is the same word for word, whatever exists.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Answer, startApi } from './api.ts';

const api = await startApi();
for (const name of ['member', 'owner']) await api.add(name);
await api.add('acme', { isOrg: true });
const acme = '/api/v0/accounts/acme';
for (const [path, body] of [
  ['members/member', {}],
  ['members/owner', { isAdmin: true }],
] as const) {
  assert.equal((await api.ask('PUT', `${acme}/${path}`, { body })).status, 200);
}
assert.equal((await api.ask('POST', `${acme}/teams`, { body: { name: 'web' } })).status, 201);
assert.equal((await api.ask('PUT', `${acme}/teams/web/members/member`)).status, 200);

/** `bob` is a stranger to everything, `ann` to all but herself. */
const roles = ['bob', 'ann', 'member', 'owner', 'admin'] as const;
const users = roles;
const herself = ['ann', 'admin'] as const;
const members = ['member', 'owner', 'admin'] as const;
const owners = ['owner', 'admin'] as const;
const admins = ['admin'] as const;

const table: [operation: string, allowed: readonly string[]][] = [
  ['GET /content_cache_rules', admins],
  ['POST /content_cache_rules', admins],
  ['GET /content_cache_rules/ghost', admins],
  ['PATCH /content_cache_rules/ghost', admins],
  ['DELETE /content_cache_rules/ghost', admins],
  ['GET /content_cache_choice', users],
  ['GET /content_cache_choice?username=ann', herself],
  ['GET /content_cache_choice?username=ghost', admins],
  ['GET /accounts', users],
  ['POST /accounts', admins],
  ['GET /accounts/ann', users],
  ['GET /accounts/acme', users],
  ['PATCH /accounts/ann', herself],
  ['PATCH /accounts/acme', owners],
  ['PATCH /accounts/ghost', admins],
  ['DELETE /accounts/ghost', admins],
  ['POST /accounts/ann/changePassword', herself],
  ['POST /accounts/ghost/changePassword', admins],
  ['GET /accounts/ann/organizations', herself],
  ['GET /accounts/ghost/organizations', admins],
  ['GET /accounts/ann/settings', herself],
  ['PATCH /accounts/acme/settings', owners],
  ['GET /api_tokens', users],
  ['GET /api_tokens?username=ann', herself],
  ['POST /api_tokens?username=ann', herself],
  ['DELETE /api_tokens?username=ann', herself],
  ['GET /api_tokens?username=ghost', admins],
  ['POST /api_tokens?username=ghost', admins],
  ['GET /events', users],
  ['GET /meta/settings', admins],
  ['POST /meta/settings', admins],
  ['GET /meta/cluster_status', admins],
  ['GET /meta/features', users],
  ['GET /admin/version', users],
  // A user is no organization: as good as none.
  ['GET /accounts/ann/members', admins],
  ['PUT /accounts/ann/members/bob', admins],
  ...['acme', 'ghost'].flatMap((name): typeof table => {
    const exists = name === 'acme';
    const [read, change] = exists ? [members, owners] : [admins, admins];
    return [
      [`GET /accounts/${name}/members`, read],
      [`GET /accounts/${name}/members/`, read],
      [`GET /accounts/${name}/members/member`, read],
      [`GET /accounts/${name}/members/ghost`, read],
      [`PUT /accounts/${name}/members/bob`, change],
      [`PATCH /accounts/${name}/members/member`, change],
      [`DELETE /accounts/${name}/members/ghost`, change],
      [`GET /accounts/${name}/teams`, read],
      [`POST /accounts/${name}/teams`, change],
      [`GET /accounts/${name}/teams/web`, read],
      [`GET /accounts/${name}/teams/ghost`, read],
      [`PATCH /accounts/${name}/teams/web`, change],
      [`DELETE /accounts/${name}/teams/ghost`, change],
      [`DELETE /accounts/${name}/teams/member`, change],
      [`GET /accounts/${name}/teams/web/members`, read],
      [`GET /accounts/${name}/teams/web/members/member`, read],
      [`PUT /accounts/${name}/teams/ghost/members/bob`, change],
      [`DELETE /accounts/${name}/teams/web/members/ghost`, change],
    ];
  }),
];

const refusal = { errors: [{ code: 'NOT_AUTHORIZED', message: 'The client is not authorized.' }] };

describe('role by operation', () => {
  for (const [operation, allowed] of table) {
    it(`${operation}: ${allowed.join(', ')}`, async () => {
      const [method, path] = operation.split(' ') as [string, string];
      const body = method === 'GET' ? undefined : { noSuchMember: true };
      const ask = (as: string) => api.ask(method, `/api/v0${path}`, { as, body });
      const [nobody, ...answers] = await Promise.all(['nobody', ...roles].map(ask));
      assert.deepEqual([nobody?.status, nobody?.code], [401, 'NOT_AUTHENTICATED']);
      const letIn = roles.filter((role, index) => {
        const { status, body } = answers[index] as Answer;
        assert.ok(status !== 401 && status < 500, `${role}: ${status}`);
        if (status === 403) assert.deepEqual(body, refusal);
        return status !== 403;
      });
      assert.deepEqual(letIn, allowed);
    });
  }
});
