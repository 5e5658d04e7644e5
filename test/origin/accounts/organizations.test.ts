import assert from 'node:assert/strict';
import { after, beforeEach, describe, it } from 'node:test';
import { deleteAccount } from '../../../src/origin/accounts/account-deletion.ts';
import { type Account, createAccount } from '../../../src/origin/accounts/accounts.ts';
import {
  countMembers,
  countOrganizationsOf,
  findMembership,
  getMember,
  getOrganization,
  listMembers,
  listOrganizationsOf,
  putMember,
  removeMember,
} from '../../../src/origin/accounts/organizations.ts';
import { createTeam, putTeamMember } from '../../../src/origin/accounts/teams.ts';
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
const put = (organization: Account, name: string, isOwner?: boolean) =>
  database.transaction((tx) => putMember(tx, context, organization, { name, isOwner }, now));
const remove = (organization: Account, name: string) =>
  database.transaction((tx) => removeMember(tx, context, organization, name, now));
const trail = async () =>
  (await queries('events').orderBy('id')).map(
    ({ type, object_name, target_name, content }) => `${type} ${object_name} ${target_name} ${content}`,
  );
const wholePage = { start: undefined, size: 10 };
const namesOf = async (organization: Account) =>
  (await listMembers(queries, organization, wholePage)).records.map(({ account }) => account.name);

let acme: Account;
let jane: Account;

beforeEach(async () => {
  await queries('accounts').delete();
  await queries('events').delete();
  acme = await create('acme', { isOrg: true });
  jane = await create('jane');
});

describe('members', () => {
  it('a user becomes a member, then an owner, and then a member again', async () => {
    assert.deepEqual(await put(acme, 'jane'), { account: jane, isOwner: false });
    assert.deepEqual(await put(acme, 'jane', true), { account: jane, isOwner: true });
    assert.deepEqual(await getMember(queries, acme, 'jane'), { account: jane, isOwner: true });
    assert.deepEqual(await put(acme, 'jane', false), { account: jane, isOwner: false });
    assert.deepEqual(await trail(), [
      'GRANT acme jane {"isAdmin":false}',
      'GRANT acme jane {"isAdmin":true}',
      'GRANT acme jane {"isAdmin":false}',
    ]);
  });

  it('putting them again changes nothing: an owner stays one', async () => {
    await put(acme, 'jane', true);
    assert.deepEqual(await put(acme, 'jane'), { account: jane, isOwner: true });
    assert.equal((await trail()).length, 1);
  });

  it('service accounts and the inactive can be members; organizations and nobody cannot', async () => {
    await create('machine', { isServiceAccount: true });
    await create('idle', { isActive: false });
    await create('other', { isOrg: true });
    await put(acme, 'machine');
    await put(acme, 'idle');
    for (const name of ['other', 'acme', 'nobody']) {
      await assert.rejects(put(acme, name), { code: 'user-unknown' });
    }
    assert.deepEqual(await namesOf(acme), ['idle', 'machine']);
  });

  it('who is no member and who does not exist are the same', async () => {
    for (const name of ['jane', 'nobody', 'acme']) {
      await assert.rejects(getMember(queries, acme, name), {
        code: 'member-unknown',
        message: 'The user is not a member.',
      });
    }
  });

  it('who leaves is in none of its teams any more, and in those of others still', async () => {
    const other = await create('other', { isOrg: true });
    for (const organization of [acme, other]) {
      await database.transaction(async (tx) => {
        const team = await createTeam(tx, context, organization, { name: 'web' }, now);
        await putTeamMember(tx, context, organization, team, 'jane', now);
      });
    }
    await remove(acme, 'jane');
    assert.deepEqual(await queries('team_members').pluck('user_id'), [jane.id]);
    assert.deepEqual(await findMembership(queries, 'acme', jane), undefined);
    assert.deepEqual(await findMembership(queries, 'other', jane), { isOwner: false });
    assert.equal((await trail()).at(-1), 'REVOKE acme jane null');
  });

  it('to remove who is not there is no error and no event', async () => {
    for (const name of ['jane', 'nobody']) await remove(acme, name);
    assert.deepEqual(await trail(), []);
  });

  it('a deleted user is no member any more', async () => {
    await put(acme, 'jane');
    await deleteAccount({ database, clock: () => now }, context, async () => jane);
    assert.equal(await countMembers(queries, acme), 0);
  });

  it('come in pages by name', async () => {
    const names = ['ann', 'bob', 'cid', 'dan', 'eve'];
    for (const name of names) {
      await create(name);
      await put(acme, name, name === 'cid');
    }
    const first = await listMembers(queries, acme, { start: undefined, size: 2 });
    assert.deepEqual([first.records.map(({ account }) => account.name), first.next], [['ann', 'bob'], 'cid']);
    const second = await listMembers(queries, acme, { start: 'cid', size: 3 });
    assert.deepEqual(
      second.records.map(({ account, isOwner }) => [account.name, isOwner]),
      [
        ['cid', true],
        ['dan', false],
        ['eve', false],
      ],
    );
    assert.equal(second.next, undefined);
    assert.equal(await countMembers(queries, acme), 5);
  });

  it('their lists read by index, and sort no more than the members', async () => {
    const page = { start: 'a', size: 10 };
    await assertIndexed(queries, () => listMembers(queries, acme, page));
    await assertIndexed(queries, () => listOrganizationsOf(queries, jane, page), { sorts: true });
    await assertIndexed(queries, () => countMembers(queries, acme));
    await assertIndexed(queries, () => countOrganizationsOf(queries, jane));
    await assertIndexed(queries, () => findMembership(queries, 'acme', jane));
  });
});

describe('organizations', () => {
  it('a user is no organization', async () => {
    assert.deepEqual(await getOrganization(queries, 'acme'), acme);
    for (const name of ['jane', 'nobody']) {
      await assert.rejects(getOrganization(queries, name), { code: 'account-unknown' });
    }
  });

  it('of a user come in pages by name', async () => {
    for (const name of ['org-a', 'org-b']) await put(await create(name, { isOrg: true }), 'jane', true);
    await put(acme, 'jane');
    const first = await listOrganizationsOf(queries, jane, { start: undefined, size: 2 });
    assert.deepEqual(
      first.records.map(({ organization, isOwner }) => [organization.name, isOwner]),
      [
        ['acme', false],
        ['org-a', true],
      ],
    );
    assert.equal(first.next, 'org-b');
    assert.equal(await countOrganizationsOf(queries, jane), 3);
  });
});
