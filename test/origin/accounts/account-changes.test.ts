import assert from 'node:assert/strict';
import { after, beforeEach, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { addAccount, changeAccount } from '../../../src/origin/accounts/account-changes.ts';
import { deleteAccount, finishDeletions } from '../../../src/origin/accounts/account-deletion.ts';
import {
  type Account,
  createAccount,
  findAccount,
  getAccount,
} from '../../../src/origin/accounts/accounts.ts';
import { Passwords } from '../../../src/origin/accounts/passwords.ts';
import { openDatabase } from '../../../src/origin/database.ts';
import type { EventContext } from '../../../src/origin/events/events.ts';
import { RepositoryRemoval } from '../../../src/origin/images/repository-removal.ts';
import { assertIndexed } from '../../setup/query-plan.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';

const database = await openDatabase(await tempDirectory());
after(() => database.close());
const { queries } = database;
const context: EventContext = {
  actor: { id: 'id-of-root', name: 'root' },
  door: 'api',
  client: '192.0.2.1',
};
const now = 1_000;

const create = (name: string, more: object = {}) =>
  createAccount(queries, { name, passwordHash: null, ...more }, 0);
const change = (account: Account, changes: object) =>
  database.transaction((tx) => changeAccount(tx, context, account, changes, now));
const remove = (name: string) =>
  deleteAccount({ database, clock: () => now }, context, (tx) => findAccount(tx, name));
const trail = () => queries('events').orderBy('id').select('type', 'object_type', 'object_name', 'content');
const signIns = async (id: string) => {
  const tables = ['sessions', 'refresh_tokens'];
  const rows = await Promise.all(tables.map((table) => queries(table).where({ account_id: id })));
  return rows.flat().length;
};

async function signInEverywhere(account: Account): Promise<void> {
  const times = { account_id: account.id, created_at: 0, expires_at: 9e12 };
  await queries('sessions').insert({ ...times, id_hash: account.id, csrf_token: 'c', last_used_at: 0 });
  await queries('refresh_tokens').insert({ ...times, token_hash: account.id, service: 's', client_id: 'c' });
}

beforeEach(async () => {
  await queries('accounts').delete();
  await queries('events').delete();
});

describe('changing an account', () => {
  it('changes what is given, leaves the rest, and tells the trail', async () => {
    await create('root', { isAdmin: true });
    const jane = await create('jane', { fullName: 'Jane' });
    const changed = await change(jane, { fullName: 'Jane Doe', isAdmin: undefined });
    assert.deepEqual(changed, { ...jane, fullName: 'Jane Doe' });
    assert.deepEqual(await findAccount(queries, 'jane'), changed);
    const [event] = await queries('events');
    assert.deepEqual(
      [event.type, event.object_id, event.object_name, event.actor_name, event.client, event.published_at],
      ['UPDATE', jane.id, 'jane', 'root', '192.0.2.1', now],
    );
    assert.equal(event.content, '{"fullName":"Jane Doe"}');
  });

  it('what is as it was is no change', async () => {
    const jane = await create('jane', { fullName: 'Jane' });
    assert.equal(await change(jane, { fullName: 'Jane', isActive: true }), jane);
    assert.deepEqual(await trail(), []);
  });

  it('who is deactivated is signed out everywhere, and nobody else is', async () => {
    const [jane, jack] = [await create('jane'), await create('jack')];
    await signInEverywhere(jane);
    await signInEverywhere(jack);
    await change(jane, { isActive: false });
    assert.deepEqual([await signIns(jane.id), await signIns(jack.id)], [0, 2]);
  });

  for (const wanted of [{ isAdmin: true }, { isActive: false }]) {
    it(`an organization cannot be made ${JSON.stringify(wanted)}`, async () => {
      const [field] = Object.keys(wanted);
      const acme = await create('acme', { isOrg: true });
      await assert.rejects(change(acme, wanted), { code: 'input-invalid', detail: { field } });
    });
  }
});

describe('a new account', () => {
  const passwords = new Passwords();
  const add = (wanted: Omit<Parameters<typeof addAccount>[2], 'name'> & { name?: string }) =>
    addAccount({ database, passwords, clock: () => now }, context, { name: 'new', ...wanted });

  for (const [what, wanted] of [
    ['a user', { password: 'a password' }],
    ['an admin', { password: 'a password', isAdmin: true }],
    ['a service account', { isServiceAccount: true }],
    ['an organization', { isOrg: true }],
  ] as const) {
    it(`${what} is created, and the trail tells of it without the password`, async () => {
      const { password, ...members } = { password: undefined, ...wanted };
      const account = await add({ ...wanted, fullName: 'New' });
      assert.deepEqual(account, {
        ...{ id: account.id, name: 'new', fullName: 'New', isActive: true },
        ...{ isOrg: false, isAdmin: false, isServiceAccount: false, ...members },
      });
      assert.deepEqual(await findAccount(queries, 'new'), account);
      const hash = (await queries('accounts').first('password_hash')).password_hash;
      assert.equal(hash === null, password === undefined);
      const [event, ...more] = await trail();
      assert.deepEqual([event.type, event.object_name, more], ['CREATE', 'new', []]);
      assert.doesNotMatch(event.content, /password|hash/i);
    });
  }

  for (const [why, field, wanted] of [
    ['a user without a password', 'password', {}],
    ['an organization with one', 'password', { isOrg: true, password: 'a password' }],
    ['a service account with one', 'password', { isServiceAccount: true, password: 'a password' }],
    ['an organization that is an admin', 'isAdmin', { isOrg: true, isAdmin: true }],
    ['an organization that is not active', 'isActive', { isOrg: true, isActive: false }],
    ['an organization for machines', 'isServiceAccount', { isOrg: true, isServiceAccount: true }],
    ['a name in upper case', 'name', { name: 'New', password: 'a password' }],
    ['a short password', 'password', { password: 'short' }],
  ] as const) {
    it(`${why} is refused, naming the field`, async () => {
      await assert.rejects(add(wanted), { code: 'input-invalid', detail: { field } });
      assert.deepEqual(await queries('accounts'), []);
      assert.deepEqual(await trail(), []);
    });
  }
});

describe('the last active system admin', () => {
  for (const [what, go] of [
    ['demoted', (account: Account) => change(account, { isAdmin: false })],
    ['deactivated', (account: Account) => change(account, { isActive: false })],
    ['deleted', (account: Account) => remove(account.name)],
  ] as const) {
    it(`is not ${what}, however many others are no help`, async () => {
      const root = await create('root', { isAdmin: true });
      await create('inactive', { isAdmin: true, isActive: false });
      await create('machine', { isAdmin: true, isServiceAccount: true });
      await create('jane');
      await assert.rejects(go(root), { code: 'last-admin' });
      assert.deepEqual(await findAccount(queries, 'root'), root);
      assert.deepEqual(await trail(), []);
      await create('second', { isAdmin: true });
      await go(root);
    });

    it(`stays, of two who are ${what} at once`, async () => {
      const admins = [await create('root', { isAdmin: true }), await create('second', { isAdmin: true })];
      const results = await Promise.allSettled(admins.map((admin) => go(admin)));
      assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    });
  }

  it('is found by an index', async () => {
    const root = await create('root', { isAdmin: true });
    await assertIndexed(queries, () => assert.rejects(change(root, { isAdmin: false })));
  });
});

describe('deleting an account', () => {
  async function withRepositories(name: string, repositories: number, manifests: number): Promise<Account> {
    const account = await create(name);
    for (let index = 0; index < repositories; index += 1) {
      const id = `${name}-${index}`;
      const row = { id, namespace_id: account.id, name: `${name}/r${index}`, visibility: 'private' };
      await queries('repositories').insert({ ...row, created_at: 0 });
      const digests = Array.from({ length: manifests }, (_, at) => `sha256:${at}`);
      for (const digest of digests) {
        const manifest = { repository_id: id, digest, media_type: 'm', bytes: Buffer.of(), pushed_by: name };
        await queries('manifests').insert({ ...manifest, created_at: 0, last_used_at: 0 });
      }
      const tag = { repository_id: id, name: 'latest', digest: 'sha256:0', created_at: 0, updated_at: 0 };
      await queries('tags').insert(tag);
    }
    return account;
  }
  const rows = async () => {
    const tables = ['accounts', 'repositories', 'manifests', 'tags'];
    const counts = await Promise.all(tables.map((table) => queries(table).count({ rows: '*' })));
    return counts.map(([count]) => Number(count?.rows));
  };

  it('takes its repositories with it, in more than one transaction, and nobody else’s', async () => {
    await withRepositories('other', 1, 1);
    await withRepositories('jane', 2, 201);
    await remove('jane');
    assert.deepEqual(await rows(), [1, 1, 1, 1]);
    assert.deepEqual(
      (await trail()).map(({ type, object_name }) => `${type} ${object_name}`),
      ['UPDATE jane', 'DELETE jane/r0', 'DELETE jane/r1', 'DELETE jane'],
    );
  });

  it('signs it out before anything else', async () => {
    const jane = await withRepositories('jane', 1, 1);
    await signInEverywhere(jane);
    await queries.raw(
      `CREATE TRIGGER stop BEFORE DELETE ON repositories BEGIN SELECT RAISE(ABORT, 'stopped'); END`,
    );
    await assert.rejects(remove('jane'), /stopped/);
    await queries.raw('DROP TRIGGER stop');
    assert.equal((await getAccount(queries, 'jane')).isActive, false);
    assert.equal(await signIns(jane.id), 0);
    await remove('jane');
    assert.equal(await findAccount(queries, 'jane'), undefined);
  });

  it('is finished after an interruption, in the name of who began it', async () => {
    const jane = await withRepositories('jane', 60, 1);
    await create('jack', { isActive: false });
    await queries.raw(
      `CREATE TRIGGER stop BEFORE DELETE ON repositories WHEN old.name = 'jane/r7' BEGIN SELECT RAISE(ABORT, 'stopped'); END`,
    );
    const parts = { database, clock: () => now };
    await assert.rejects(remove('jane'), /stopped/);
    await assert.rejects(finishDeletions(parts, new AbortController().signal), /stopped/);
    await queries.raw('DROP TRIGGER stop');
    await assert.rejects(finishDeletions(parts, AbortSignal.abort()), { name: 'AbortError' });
    assert.deepEqual(await finishDeletions(parts, new AbortController().signal), ['jane']);
    assert.deepEqual(await rows(), [1, 0, 0, 0]);
    const event = await queries('events').orderBy('id', 'desc').first();
    assert.deepEqual(
      [event.type, event.object_id, event.actor_id, event.actor_name, event.door, event.client],
      ['DELETE', jane.id, 'id-of-root', 'root', 'api', '192.0.2.1'],
    );
    assert.deepEqual(await finishDeletions(parts, new AbortController().signal), []);
  });

  it('ends where it is when an admin makes the account active again, also after an interruption', async () => {
    const jane = await withRepositories('jane', 60, 1);
    await create('root', { isAdmin: true });
    const left = async () => (await rows()).slice(1, 2)[0] ?? 0;
    const parts = { database, clock: () => now };
    const activate = async () => change(await getAccount(queries, 'jane'), { isActive: true });

    const deleting = assert.rejects(remove('jane'), { code: 'changed-meanwhile' });
    while ((await left()) === 60) await nextTurn();
    await activate();
    await deleting;
    const kept = await left();
    assert.ok(kept > 0 && kept < 60, String(kept));
    assert.deepEqual(await finishDeletions(parts, new AbortController().signal), []);

    await queries.raw(
      `CREATE TRIGGER stop BEFORE DELETE ON repositories BEGIN SELECT RAISE(ABORT, 'stopped'); END`,
    );
    await assert.rejects(remove('jane'), /stopped/);
    await queries.raw('DROP TRIGGER stop');
    await activate();
    assert.deepEqual(await finishDeletions(parts, new AbortController().signal), []);
    assert.equal(await left(), kept);
    assert.equal((await getAccount(queries, 'jane')).id, jane.id);

    // Asked again, it goes for good.
    await remove('jane');
    assert.equal(await findAccount(queries, 'jane'), undefined);
  });

  it('is no error when there is none', async () => {
    await remove('nobody');
    assert.deepEqual(await trail(), []);
  });

  it('its repositories alone can be deleted', async () => {
    const jane = await withRepositories('jane', 60, 1);
    await new RepositoryRemoval({ database, clock: () => now }).deleteAllOf(context, jane.id);
    assert.deepEqual(await rows(), [1, 0, 0, 0]);
    assert.equal((await getAccount(queries, 'jane')).isActive, true);
  });

  it('reads by an index alone', async () => {
    await withRepositories('jane', 1, 1);
    const plan = () => remove('jane');
    await assertIndexed(queries, plan);
  });
});
