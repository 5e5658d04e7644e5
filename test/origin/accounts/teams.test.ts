import assert from 'node:assert/strict';
import { after, beforeEach, describe, it } from 'node:test';
import { type Account, createAccount } from '../../../src/origin/accounts/accounts.ts';
import { findMembership } from '../../../src/origin/accounts/organizations.ts';
import {
  changeTeam,
  countTeams,
  createTeam,
  deleteTeam,
  getTeam,
  getTeamMember,
  listTeamMembers,
  listTeams,
  putTeamMember,
  removeTeamMember,
  type Team,
} from '../../../src/origin/accounts/teams.ts';
import { openDatabase } from '../../../src/origin/database.ts';
import type { EventContext } from '../../../src/origin/events/events.ts';
import { assertIndexed } from '../../setup/query-plan.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';

const database = await openDatabase(await tempDirectory());
after(() => database.close());
const { queries } = database;
const context: EventContext = { actor: { id: 'id-of-root', name: 'root' }, door: 'api', client: undefined };
const now = 1_000;

const create = (name: string, more: object = {}) =>
  createAccount(queries, { name, passwordHash: null, ...more }, 0);
const add = (name: string, description?: string, organization = acme) =>
  database.transaction((tx) => createTeam(tx, context, organization, { name, description }, now));
const change = (team: Team, changes: { name?: string; description?: string }) =>
  database.transaction((tx) => changeTeam(tx, context, acme, team, changes, now));
const put = (team: Team, name: string) =>
  database.transaction((tx) => putTeamMember(tx, context, acme, team, name, now));
const remove = (team: Team, name: string) =>
  database.transaction((tx) => removeTeamMember(tx, context, acme, team, name, now));
const trail = async () =>
  (await queries('events').orderBy('id')).map(
    ({ type, object_type, object_name, target_name }) =>
      `${type} ${object_type} ${object_name} ${target_name}`,
  );
const page = { start: undefined, size: 10 };

let acme: Account;
let jane: Account;

beforeEach(async () => {
  await queries('accounts').delete();
  await queries('events').delete();
  acme = await create('acme', { isOrg: true });
  jane = await create('jane');
});

describe('teams', () => {
  it('one is found as it was created, by whoever looks', async () => {
    const team = await add('web', 'Web shop');
    await put(team, 'jane');
    const jack = await create('jack');
    assert.deepEqual(await getTeam(queries, acme, jane, 'web'), { ...team, membersCount: 1, isMember: true });
    assert.deepEqual(await getTeam(queries, acme, jack, 'web'), {
      ...team,
      membersCount: 1,
      isMember: false,
    });
    assert.deepEqual(team, { id: team.id, organizationId: acme.id, name: 'web', description: 'Web shop' });
  });

  it('two of one name are refused in an organization, and are fine in two', async () => {
    const other = await create('other', { isOrg: true });
    await add('web');
    await add('web', '', other);
    await assert.rejects(add('web'), { code: 'team-name-taken', detail: { field: 'name' } });
    assert.equal(await countTeams(queries, acme), 1);
  });

  it('of two with one name created at once, one is', async () => {
    const results = await Promise.allSettled([add('web'), add('web')]);
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  });

  for (const name of ['', 'Web', 'a b', '../x', '<b>', 'n'.repeat(129)]) {
    it(`${JSON.stringify(name).slice(0, 20)} is no name of a team`, async () => {
      await assert.rejects(add(name), { code: 'input-invalid', detail: { field: 'name' } });
    });
  }

  it('one is renamed and described, if nobody has the name', async () => {
    const team = await add('web', 'Web shop');
    await add('taken');
    await change(team, { name: 'shop' });
    await change({ ...team, name: 'shop' }, { description: '' });
    await assert.rejects(change(team, { name: 'taken' }), { code: 'team-name-taken' });
    const found = await getTeam(queries, acme, jane, 'shop');
    assert.deepEqual([found.id, found.description], [team.id, '']);
    await assert.rejects(getTeam(queries, acme, jane, 'web'), { code: 'team-unknown' });
    assert.deepEqual((await trail()).slice(2), ['UPDATE team acme/web null', 'UPDATE team acme/shop null']);
  });

  it('what is as it was is no change', async () => {
    const team = await add('web');
    await change(team, { name: 'web', description: '' });
    assert.equal((await trail()).length, 1);
  });

  it('one that is deleted takes its members’ access with it, and leaves them in the organization', async () => {
    const team = await add('web');
    await put(team, 'jane');
    await queries('team_namespace_access').insert({ team_id: team.id, access_level: 'admin' });
    await database.transaction((tx) => deleteTeam(tx, context, acme, team, now));
    for (const table of ['teams', 'team_members', 'team_namespace_access']) {
      assert.deepEqual(await queries(table), [], table);
    }
    assert.deepEqual(await findMembership(queries, 'acme', jane), { isOwner: false });
    assert.equal((await trail()).at(-1), 'DELETE team acme/web null');
  });

  it('come in pages by name', async () => {
    for (const name of ['c', 'a', 'b']) await add(name);
    const first = await listTeams(queries, acme, jane, { start: undefined, size: 2 });
    assert.deepEqual([first.records.map(({ name }) => name), first.next], [['a', 'b'], 'c']);
    const last = await listTeams(queries, acme, jane, { start: 'c', size: 2 });
    assert.deepEqual([last.records.map(({ name }) => name), last.next], [['c'], undefined]);
  });

  it('are read by index', async () => {
    const team = await add('web');
    await assertIndexed(queries, () => listTeams(queries, acme, jane, { start: 'a', size: 10 }));
    await assertIndexed(queries, () => getTeam(queries, acme, jane, 'web'));
    await assertIndexed(queries, () => countTeams(queries, acme));
    await assertIndexed(queries, () => listTeamMembers(queries, team, page));
  });
});

describe('members of a team', () => {
  it('become members of the organization; putting them again changes nothing', async () => {
    const team = await add('web');
    assert.deepEqual(await put(team, 'jane'), jane);
    await put(team, 'jane');
    assert.deepEqual(await findMembership(queries, 'acme', jane), { isOwner: false });
    assert.deepEqual(await getTeamMember(queries, team, 'jane'), jane);
    assert.deepEqual((await trail()).slice(1), ['GRANT organization acme jane', 'GRANT team acme/web jane']);
  });

  it('are users alone', async () => {
    const team = await add('web');
    for (const name of ['acme', 'nobody']) await assert.rejects(put(team, name), { code: 'user-unknown' });
    await assert.rejects(getTeamMember(queries, team, 'jane'), { code: 'member-unknown' });
  });

  it('one who is taken out stays in the organization; one who is not in it is no error', async () => {
    const team = await add('web');
    await put(team, 'jane');
    for (const name of ['jane', 'jane', 'nobody']) await remove(team, name);
    assert.deepEqual(await findMembership(queries, 'acme', jane), { isOwner: false });
    assert.deepEqual((await listTeamMembers(queries, team, page)).records, []);
    assert.deepEqual((await trail()).slice(3), ['REVOKE team acme/web jane']);
  });

  it('come in pages by name', async () => {
    const team = await add('web');
    for (const name of ['ann', 'bob', 'cid']) {
      await create(name);
      await put(team, name);
    }
    const first = await listTeamMembers(queries, team, { start: undefined, size: 2 });
    assert.deepEqual([first.records.map(({ name }) => name), first.next], [['ann', 'bob'], 'cid']);
    const last = await listTeamMembers(queries, team, { start: 'cid', size: 2 });
    assert.deepEqual([last.records.map(({ name }) => name), last.next], [['cid'], undefined]);
  });
});
