import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type ChoiceFacts,
  chooseContentCache,
  type Exclusion,
  type Preference,
} from '../../../src/origin/content-caches/choose.ts';
import type { ContentCache } from '../../../src/origin/content-caches/content-caches.ts';
import type { HealthState } from '../../../src/origin/content-caches/health-state.ts';

const cacheNamed = (name: string, isEnabled = true): ContentCache => ({
  id: `id-${name}`,
  name,
  host: `https://${name}.example`,
  caPem: undefined,
  isEnabled,
});

/** How a row writes a preference: a cache's name (`!` behind it: switched off), `none` or `automatic`. */
function preferenceOf(text: string): Preference {
  if (text === 'none' || text === 'automatic') return text;
  return text.endsWith('!') ? cacheNamed(text.slice(0, -1), false) : cacheNamed(text);
}

interface Row {
  /** The user's setting. */
  readonly user?: string;
  readonly rule?: string;
  /** `<organization>: <preference>` */
  readonly orgs?: readonly string[];
  readonly system?: string;
  readonly repository?: string;
  readonly exempt?: true;
  readonly health?: Readonly<Record<string, HealthState>>;
  readonly excluded?: Readonly<Record<string, Exclusion>>;
}

function factsOf(row: Row): ChoiceFacts {
  const rule = row.rule === undefined ? undefined : preferenceOf(row.rule);
  return {
    setting: preferenceOf(row.user ?? 'automatic'),
    rule: rule === undefined || rule === 'automatic' ? undefined : { network: '203.0.113.0/24', cache: rule },
    organizations: (row.orgs ?? []).map((text) => {
      const [name, cache] = text.split(': ') as [string, string];
      return { name, cache: preferenceOf(cache) };
    }),
    systemDefault: row.system === undefined ? undefined : (preferenceOf(row.system) as ContentCache),
    repository: { namespace: row.repository ?? 'acme', redirects: row.exempt !== true },
    health: { stateOf: (id) => row.health?.[id.slice('id-'.length)] ?? 'healthy' },
    excluded: new Map(Object.entries(row.excluded ?? {}).map(([name, why]) => [`id-${name}`, why])),
  };
}

/** Each row: what is so, which cache serves (`-`: the origin), who decided, and which caches were skipped for what. */
const table: [row: Row, cache: string, because: string, skipped?: string][] = [
  // Nobody says anything.
  [{}, '-', 'nothing-else'],
  // One alone.
  [{ user: 'A' }, 'A', 'user-setting'],
  [{ user: 'none' }, '-', 'user-setting'],
  [{ rule: 'A' }, 'A', 'network-rule'],
  [{ rule: 'none' }, '-', 'network-rule'],
  [{ orgs: ['acme: A'] }, 'A', 'organization-default'],
  [{ orgs: ['acme: none'] }, '-', 'organization-default'],
  [{ orgs: ['acme: automatic'] }, '-', 'nothing-else'],
  [{ system: 'A' }, 'A', 'system-default'],
  // The order.
  [{ user: 'A', rule: 'B', orgs: ['acme: C'], system: 'D' }, 'A', 'user-setting'],
  [{ user: 'none', rule: 'B', orgs: ['acme: C'], system: 'D' }, '-', 'user-setting'],
  [{ rule: 'B', orgs: ['acme: C'], system: 'D' }, 'B', 'network-rule'],
  [{ rule: 'none', orgs: ['acme: C'], system: 'D' }, '-', 'network-rule'],
  [{ orgs: ['acme: C'], system: 'D' }, 'C', 'organization-default'],
  [{ orgs: ['acme: none'], system: 'D' }, '-', 'organization-default'],
  [{ orgs: ['acme: automatic'], system: 'D' }, 'D', 'system-default'],
  [{ user: 'A', rule: 'none' }, 'A', 'user-setting'],
  // The user's organizations: the owner of the repository first, the others by name.
  [{ orgs: ['acme: A', 'beta: B'] }, 'A', 'organization-default'],
  [{ orgs: ['acme: A', 'beta: B'], repository: 'beta' }, 'B', 'organization-default'],
  [{ orgs: ['acme: A', 'beta: B'], repository: 'jane' }, 'A', 'organization-default'],
  [{ orgs: ['acme: automatic', 'beta: B'] }, 'B', 'organization-default'],
  [{ orgs: ['acme: A', 'beta: none'], repository: 'beta' }, '-', 'organization-default'],
  [{ orgs: ['acme: A', 'beta: automatic'], repository: 'beta' }, 'A', 'organization-default'],
  [
    { orgs: ['acme: A', 'beta: B'], repository: 'beta', health: { B: 'down' } },
    'A',
    'organization-default',
    'B down',
  ],
  // A repository that is never redirected.
  [{ exempt: true, user: 'A', rule: 'B', system: 'D' }, '-', 'repository'],
  [{ exempt: true }, '-', 'repository'],
  // Health: only a cache that is down is skipped.
  [{ user: 'A', health: { A: 'unknown' } }, 'A', 'user-setting'],
  [{ user: 'A', health: { A: 'degraded' } }, 'A', 'user-setting'],
  [{ user: 'A', health: { A: 'down' } }, '-', 'nothing-else', 'A down'],
  [{ user: 'A', rule: 'B', health: { A: 'down' } }, 'B', 'network-rule', 'A down'],
  [{ user: 'A', rule: 'none', health: { A: 'down' } }, '-', 'network-rule', 'A down'],
  [{ user: 'A', orgs: ['acme: C'], health: { A: 'down' } }, 'C', 'organization-default', 'A down'],
  [{ user: 'A', system: 'D', health: { A: 'down' } }, 'D', 'system-default', 'A down'],
  [{ rule: 'B', system: 'D', health: { B: 'down' } }, 'D', 'system-default', 'B down'],
  [{ orgs: ['acme: C'], system: 'D', health: { C: 'down' } }, 'D', 'system-default', 'C down'],
  [{ system: 'D', health: { D: 'down' } }, '-', 'nothing-else', 'D down'],
  [
    {
      user: 'A',
      rule: 'B',
      orgs: ['acme: C'],
      system: 'D',
      health: { A: 'down', B: 'down', C: 'down', D: 'down' },
    },
    '-',
    'nothing-else',
    'A down, B down, C down, D down',
  ],
  // The next one may be the same cache again: it is skipped again.
  [
    { user: 'A', rule: 'A', system: 'A', health: { A: 'down' } },
    '-',
    'nothing-else',
    'A down, A down, A down',
  ],
  [{ user: 'A', rule: 'A', system: 'D', health: { A: 'down' } }, 'D', 'system-default', 'A down, A down'],
  // Switched off by an admin.
  [{ user: 'A!' }, '-', 'nothing-else', 'A disabled'],
  [{ user: 'A!', system: 'D' }, 'D', 'system-default', 'A disabled'],
  [{ rule: 'B!', orgs: ['acme: C'] }, 'C', 'organization-default', 'B disabled'],
  [{ user: 'A!', health: { A: 'down' } }, '-', 'nothing-else', 'A disabled'],
  // A retry: the client is not sent again to where it did not get its blob.
  [{ user: 'A', excluded: { A: 'not-reached' } }, '-', 'nothing-else', 'A not-reached'],
  [{ user: 'A', system: 'D', excluded: { A: 'broke-off' } }, 'D', 'system-default', 'A broke-off'],
  [{ rule: 'B', system: 'D', excluded: { B: 'no-answer' } }, 'D', 'system-default', 'B no-answer'],
  [
    {
      user: 'A',
      rule: 'B',
      system: 'D',
      health: { A: 'down' },
      excluded: { B: 'not-reached', D: 'not-reached' },
    },
    '-',
    'nothing-else',
    'A down, B not-reached, D not-reached',
  ],
  [{ user: 'A', excluded: { B: 'not-reached' } }, 'A', 'user-setting'],
];

describe('the choice of the content cache', () => {
  for (const [row, cache, because, skipped = ''] of table) {
    it(`${JSON.stringify(row)} → ${cache}, because ${because}`, () => {
      const choice = chooseContentCache(factsOf(row));
      assert.equal(choice.cache?.name ?? '-', cache);
      assert.equal(choice.because, because);
      const passed = choice.steps.flatMap((step) =>
        step.skipped === undefined ? [] : [`${(step.says as ContentCache).name} ${step.skipped}`],
      );
      assert.equal(passed.join(', '), skipped);
    });
  }

  it('names everyone who was asked until one decided, and what they said', () => {
    const facts = factsOf({
      user: 'A',
      orgs: ['acme: automatic', 'beta: C'],
      system: 'D',
      health: { A: 'down' },
    });
    assert.deepEqual(
      chooseContentCache(facts).steps.map(({ decider, of, says, skipped }) => [
        decider,
        of,
        typeof says === 'string' ? says : says.name,
        skipped,
      ]),
      [
        ['user-setting', undefined, 'A', 'down'],
        ['network-rule', undefined, 'automatic', undefined],
        ['organization-default', 'acme', 'automatic', undefined],
        ['organization-default', 'beta', 'C', undefined],
      ],
    );
  });

  it('names the network of the rule', () => {
    const { steps } = chooseContentCache(factsOf({ rule: 'B' }));
    assert.deepEqual(steps.at(-1), {
      decider: 'network-rule',
      of: '203.0.113.0/24',
      says: cacheNamed('B'),
    });
  });
});
