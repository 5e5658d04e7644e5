/** Scopes are read by their grammar and no further: whatever is written, never more is granted than asked for (C08). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseScopes } from '../../../src/origin/access/scopes.ts';

describe('a scope', () => {
  const rows: [parameters: string[], scopes: [type: string, name: string, ...actions: string[]][]][] = [
    [['repository:a/b:pull'], [['repository', 'a/b', 'pull']]],
    [['repository:a/b:pull,push'], [['repository', 'a/b', 'pull', 'push']]],
    [['repository:a/b:push,pull,push'], [['repository', 'a/b', 'push', 'pull']]],
    [
      ['repository:a/b:pull repository:c/d:push'],
      [
        ['repository', 'a/b', 'pull'],
        ['repository', 'c/d', 'push'],
      ],
    ],
    [
      ['repository:a/b:pull', 'repository:c/d:push'],
      [
        ['repository', 'a/b', 'pull'],
        ['repository', 'c/d', 'push'],
      ],
    ],
    [['repository(plugin):a/b:pull'], [['repository', 'a/b', 'pull']]],
    [['repository:host:5000/a/b:pull'], [['repository', 'host:5000/a/b', 'pull']]],
    [['repository:a/b:pull,*'], [['repository', 'a/b', 'pull', '*']]],
    [['repository:a/b:pull,'], [['repository', 'a/b', 'pull']]],
    [['registry:catalog:*'], [['registry', 'catalog', '*']]],
    [['a:b:pull'], [['a', 'b', 'pull']]],
    [['::', ':', '', '*', 'repository', 'repository:a/b', 'Repository:a/b:pull'], []],
    [['repository:a/b:pull\nrepository:c/d:push'], []],
    [['repository:a b:pull'], []],
    [['repository:a/b:PULL'], []],
  ];
  for (const [parameters, scopes] of rows) {
    it(`${JSON.stringify(parameters)} asks for ${JSON.stringify(scopes)}`, () => {
      assert.deepEqual(
        parseScopes(parameters).map(({ type, name, actions }) => [type, name, ...actions]),
        scopes,
      );
    });
  }

  it('whatever is written, what is read is in it', () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab/:,*() \n\u0000é'), maxLength: 40 });
    fc.assert(
      fc.property(fc.array(text, { maxLength: 5 }), (parameters) => {
        for (const { type, name, actions } of parseScopes(parameters)) {
          const written = parameters.some((parameter) =>
            parameter.split(' ').some((scope) => {
              const list = scope.slice(scope.lastIndexOf(':') + 1).split(',');
              return (
                scope.startsWith(type) &&
                scope.includes(`:${name}:`) &&
                actions.every((a) => list.includes(a))
              );
            }),
          );
          assert.ok(written, JSON.stringify({ parameters, type, name, actions }));
        }
      }),
      { seed: 20261125 },
    );
  });

  it('ten thousand of them are looked at no further than the first hundred', () => {
    const many = Array.from({ length: 10_000 }, (_, index) => `repository:a/b${index}:pull`).join(' ');
    assert.equal(parseScopes([many]).length, 100);
  });
});
