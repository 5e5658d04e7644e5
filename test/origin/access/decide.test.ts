/** Levels add up, and nothing takes away what something else gave. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AccessFacts, decideLevel } from '../../../src/origin/access/decide.ts';
import { type AccessLevel, actionsOf } from '../../../src/origin/access/levels.ts';

const nothing = { isAdmin: false, ownsNamespace: false, namespaceLevel: undefined, repositoryLevels: [] };

describe('the level in a repository', () => {
  const rows: [
    who: string,
    account: Partial<NonNullable<AccessFacts['account']>> | undefined,
    visibility: AccessFacts['visibility'],
    level: AccessLevel | undefined,
  ][] = [
    ['a stranger in a private one', {}, 'private', undefined],
    ['a stranger in a public one', {}, 'public', 'read-only'],
    ['a stranger in one that does not exist', {}, undefined, undefined],
    ['a system admin in a private one', { isAdmin: true }, 'private', 'admin'],
    ['a system admin in one that does not exist', { isAdmin: true }, undefined, 'admin'],
    ['the owner of the namespace', { ownsNamespace: true }, 'private', 'admin'],
    ['the owner of the namespace in one that does not exist', { ownsNamespace: true }, undefined, 'admin'],
    ['by a team on the namespace', { namespaceLevel: 'read-write' }, 'private', 'read-write'],
    ['by a team on the namespace, to be created', { namespaceLevel: 'admin' }, undefined, 'admin'],
    ['by a team on the repository', { repositoryLevels: ['read-write'] }, 'private', 'read-write'],
    ['by several', { repositoryLevels: ['read-only', 'admin', 'read-write'] }, 'private', 'admin'],
    [
      'less on the namespace than on the repository',
      { namespaceLevel: 'read-only', repositoryLevels: ['read-write'] },
      'private',
      'read-write',
    ],
    [
      'more on the namespace than on the repository',
      { namespaceLevel: 'admin', repositoryLevels: ['read-only'] },
      'public',
      'admin',
    ],
    ['nobody in particular in a private one', undefined, 'private', undefined],
    ['nobody in particular in a public one', undefined, 'public', 'read-only'],
  ];
  for (const [who, account, visibility, level] of rows) {
    it(`${who}: ${level ?? 'none'}`, () => {
      const facts = account && { ...nothing, ...account };
      assert.equal(decideLevel({ account: facts, visibility, anonymousPulls: true }), level);
    });
  }

  it('nobody in particular gets nothing where anonymous pulls are off', () => {
    assert.equal(decideLevel({ account: undefined, visibility: 'public', anonymousPulls: false }), undefined);
  });
});

it('what each level lets one do in the registry', () => {
  assert.deepEqual(actionsOf(undefined), []);
  assert.deepEqual(actionsOf('read-only'), ['pull']);
  assert.deepEqual(actionsOf('read-write'), ['pull', 'push', 'delete']);
  assert.deepEqual(actionsOf('admin'), ['pull', 'push', 'delete']);
});
