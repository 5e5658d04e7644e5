/** What somebody sees in lists is what they may pull from, one by one. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { giveAccess } from '../../../src/origin/access/grants.ts';
import type { AccessLevel } from '../../../src/origin/access/levels.ts';
import { findRepositoryLevel } from '../../../src/origin/access/rights.ts';
import {
  countVisibleRepositories,
  listVisibleRepositories,
  type VisibleFilter,
} from '../../../src/origin/access/visible-repositories.ts';
import { type Account, createAccount, findAccount } from '../../../src/origin/accounts/accounts.ts';
import { putMember } from '../../../src/origin/accounts/organizations.ts';
import { createTeam, putTeamMember } from '../../../src/origin/accounts/teams.ts';
import { openDatabase } from '../../../src/origin/database.ts';
import type { EventContext } from '../../../src/origin/events/events.ts';
import { insertRepository } from '../../../src/origin/images/repositories.ts';
import {
  changeRepository,
  findRepositoryDetails,
  type RepositoryDetails,
} from '../../../src/origin/images/repository-details.ts';
import type { RepositoryName } from '../../../src/shared/distribution/repository-name.ts';
import { assertIndexed } from '../../setup/query-plan.ts';
import { randomNumbers } from '../../setup/random-numbers.ts';
import { tempDirectory } from '../../setup/temp-directory.ts';

const database = await openDatabase(await tempDirectory());
after(() => database.close());
const { queries } = database;
const context: EventContext = { actor: undefined, door: 'command', client: undefined };
const random = randomNumbers(20261125);
const chance = (part: number) => random() < part;
const oneOf = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T;

const users = ['admin', 'ann', 'ben', 'cat', 'dan'];
const organizations = ['acme', 'acme-labs', 'zoo'];
const levels: readonly AccessLevel[] = ['read-only', 'read-write', 'admin'];
const repositories: RepositoryDetails[] = [];

await database.transaction(async (tx) => {
  const accounts = new Map<string, Account>();
  for (const name of [...users, ...organizations]) {
    const kind = { isOrg: organizations.includes(name), isAdmin: name === 'admin' };
    accounts.set(name, await createAccount(tx, { name, ...kind, passwordHash: null }, 0));
  }
  const account = (name: string) => accounts.get(name) as Account;
  for (const name of [...accounts.keys()].flatMap((namespace) =>
    Array.from({ length: 12 }, (_, n) => `${namespace}/r${n}` as RepositoryName),
  )) {
    const namespaceId = account(name.slice(0, name.indexOf('/'))).id;
    const visibility = chance(0.2) ? 'public' : 'private';
    const shortDescription = chance(0.3) ? 'A 100% Web_Shop' : '';
    await insertRepository(tx, context, { namespaceId, name, visibility, shortDescription }, 0);
    repositories.push((await findRepositoryDetails(tx, name)) as RepositoryDetails);
  }
  for (const name of organizations) {
    const organization = account(name);
    for (const user of users) {
      if (chance(0.2)) await putMember(tx, context, organization, { name: user, isOwner: true }, 0);
    }
    for (const teamName of ['one', 'two', 'three']) {
      const team = await createTeam(tx, context, organization, { name: teamName }, 0);
      for (const user of users)
        if (chance(0.5)) await putTeamMember(tx, context, organization, team, user, 0);
      if (chance(0.2)) await giveAccess(tx, context, { organization, team }, oneOf(levels), 0);
      for (const repository of repositories) {
        if (repository.namespaceId !== organization.id || !chance(0.4)) continue;
        await giveAccess(tx, context, { organization, team, repository }, oneOf(levels), 0);
      }
    }
  }
  for (const repository of repositories) {
    if (chance(0.2))
      await giveAccess(tx, context, { user: account(oneOf(users)), repository }, oneOf(levels), 0);
  }
  // What was granted stays so, and is listed by what the repository is now.
  for (const [n, repository] of repositories.entries()) {
    const visibility = chance(0.2) ? 'public' : 'private';
    if (chance(0.3)) await changeRepository(tx, context, repository, { visibility }, 0);
    if (chance(0.3))
      await changeRepository(tx, context, repository, { shortDescription: 'Für WEB_Shops' }, 0);
    repositories[n] = (await findRepositoryDetails(tx, repository.name)) as RepositoryDetails;
  }
});

const account = async (name: string) => (await findAccount(queries, name)) as Account;

/** By user: asked one by one, as every other operation asks. */
const visible = new Map<string, RepositoryDetails[]>();
for (const name of users) {
  const user = await account(name);
  const seen: RepositoryDetails[] = [];
  for (const repository of repositories) {
    if ((await findRepositoryLevel(queries, user, repository)) !== undefined) seen.push(repository);
  }
  visible.set(name, seen);
}
const expected = (user: string, fits: (repository: RepositoryDetails) => boolean) =>
  (visible.get(user) ?? [])
    .filter(fits)
    .map(({ name }) => name as string)
    .sort();

async function listed(user: Account, filter: VisibleFilter, size: number): Promise<string[]> {
  const names: string[] = [];
  let start: string | undefined;
  do {
    const page = await listVisibleRepositories(queries, user, filter, { start, size });
    assert.ok(page.records.length <= size);
    names.push(...page.records.map(({ name }) => name));
    start = page.next;
  } while (start !== undefined);
  return names;
}

describe('the repositories that an account may pull from', () => {
  const acme = { id: '', name: 'acme' };
  const filters: [what: string, filter: VisibleFilter, fits: (repository: RepositoryDetails) => boolean][] = [
    ['all of them', {}, () => true],
    ['of one namespace', { namespace: acme }, ({ name }) => name.startsWith('acme/')],
    ['with something in the name', { contains: 'E/R1' }, ({ name }) => name.includes('e/r1')],
    ['whose name begins with something', { prefix: 'acme' }, ({ name }) => name.startsWith('acme')],
    [
      'with something in the name or the description',
      { text: 'web_' },
      ({ shortDescription }) => shortDescription !== '',
    ],
    [
      'with letters that English does not have',
      { text: 'FÜR' },
      ({ shortDescription }) => shortDescription.startsWith('Für'),
    ],
    ['with what is in the name of some', { text: 'zoo/' }, ({ name }) => name.includes('zoo/')],
    ['with what is nowhere', { text: 'w%b' }, () => false],
  ];

  for (const [what, filter, fits] of filters) {
    it(`${what}, in pages of any size, and counted`, async () => {
      acme.id = (await account('acme')).id;
      for (const name of users) {
        const user = await account(name);
        const names = expected(name, fits);
        for (const size of [3, 1000]) assert.deepEqual(await listed(user, filter, size), names, name);
        assert.equal(await countVisibleRepositories(queries, user, filter), names.length, name);
      }
    });
  }

  it('are not all, and not none: the company is one worth looking at', () => {
    const counts = users.map((name) => expected(name, () => true).length);
    assert.equal(counts[0], repositories.length);
    assert.ok(
      counts.slice(1).every((count) => count > 20 && count < repositories.length - 10),
      String(counts),
    );
  });

  it('are found by indexes; only what was granted is sorted', async () => {
    acme.id = (await account('acme')).id;
    const page = { start: 'acme/r5', size: 10 };
    for (const filter of [
      {},
      { namespace: acme },
      { prefix: 'acme/r' },
      { contains: 'r1' },
      { text: 'shop' },
    ]) {
      const admin = await account('admin');
      await assertIndexed(queries, () => listVisibleRepositories(queries, admin, filter, page));
      await assertIndexed(queries, () => countVisibleRepositories(queries, admin, filter));
      const ann = await account('ann');
      await assertIndexed(queries, () => listVisibleRepositories(queries, ann, filter, page), {
        sorts: true,
      });
      await assertIndexed(queries, () => countVisibleRepositories(queries, ann, filter), { sorts: true });
    }
  });
});
