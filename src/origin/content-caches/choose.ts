/** Which cache serves a pull, and why. Pure: everything that decides is given. */
import type { ContentCache } from './content-caches.ts';
import type { HealthState } from './health-state.ts';

/** How the registered caches are. */
export interface CacheHealth {
  /** Asked for every pull: an answer from memory. One of which nothing is known is used. */
  stateOf(cacheId: string): HealthState;
  /** Pulls seem to fail at it: it is to be looked at soon. */
  suspect(cacheId: string): void;
}

/**
 * Why this client is not sent to a cache again, however that is otherwise: it was sent there and never came (`not-reached`), its
 * download there ended early (`broke-off`), or the cache does not tell (`no-answer`).
 */
export type Exclusion = 'not-reached' | 'broke-off' | 'no-answer';

/** What somebody decided: a cache, the origin itself, or that others decide. */
export type Preference = ContentCache | 'none' | 'automatic';

export interface ChoiceFacts {
  /** Who pulls; a pull by nobody is automatic. */
  readonly setting: Preference;
  /** The rule for the most specific network in which the client is. */
  readonly rule: { readonly network: string; readonly cache: ContentCache | 'none' } | undefined;
  /** The user's organizations by name, with what they decided for their members. */
  readonly organizations: readonly { readonly name: string; readonly cache: Preference }[];
  /** The system's default, if it has one. */
  readonly systemDefault: ContentCache | undefined;
  readonly repository: {
    readonly namespace: string;
    /** False for one that the origin always serves itself. */
    readonly redirects: boolean;
  };
  readonly health: Pick<CacheHealth, 'stateOf'>;
  /** By the ids of caches. */
  readonly excluded: ReadonlyMap<string, Exclusion>;
}

/** Who decides, in the order in which they are asked. */
type Decider =
  | 'repository'
  | 'user-setting'
  | 'network-rule'
  | 'organization-default'
  | 'system-default'
  | 'nothing-else';

/** One who was asked, and what came of it. */
export interface ChoiceStep {
  readonly decider: Decider;
  /** The network or the organization, where there may be several. */
  readonly of?: string;
  /** What they say: a cache, the origin (`none`), or nothing (`automatic`). */
  readonly says: Preference;
  /** Why the cache is not used, although they say so. */
  readonly skipped?: 'disabled' | 'down' | Exclusion;
}

export interface Choice {
  /** `undefined`: the origin itself. */
  readonly cache: ContentCache | undefined;
  readonly because: Decider;
  /** Ends with the step that decided. */
  readonly steps: readonly ChoiceStep[];
}

/**
 * The first usable cache of those that the user, the network, an organization and the system name, in this order; the origin as
 * soon as one of them says so, or when none is left.
 */
export function chooseContentCache(facts: ChoiceFacts): Choice {
  if (!facts.repository.redirects) return decided([], { decider: 'repository', says: 'none' });
  const passed: ChoiceStep[] = [];
  for (const step of proposals(facts)) {
    if (step.says === 'none') return decided(passed, step);
    if (step.says === 'automatic') {
      passed.push(step);
      continue;
    }
    const skipped = whyNot(step.says, facts);
    if (skipped === undefined) return decided(passed, step);
    passed.push({ ...step, skipped });
  }
  return decided(passed, { decider: 'nothing-else', says: 'none' });
}

/** A choice in names, for people. */
export interface DescribedChoice {
  /** Left out: the origin itself. */
  readonly cache?: string;
  readonly because: Decider;
  readonly skipped?: readonly { readonly cache: string; readonly by: Decider; readonly because: string }[];
}

export function describeChoice({ cache, because, steps }: Choice): DescribedChoice {
  const skipped = steps.flatMap(({ decider, says, skipped: reason }) =>
    reason === undefined || typeof says === 'string'
      ? []
      : [{ cache: says.name, by: decider, because: reason }],
  );
  return {
    ...(cache === undefined ? {} : { cache: cache.name }),
    because,
    ...(skipped.length === 0 ? {} : { skipped }),
  };
}

function decided(passed: ChoiceStep[], last: ChoiceStep): Choice {
  passed.push(last);
  return {
    cache: typeof last.says === 'string' ? undefined : last.says,
    because: last.decider,
    steps: passed,
  };
}

function proposals({ setting, rule, organizations, systemDefault, repository }: ChoiceFacts): ChoiceStep[] {
  const steps: ChoiceStep[] = [
    { decider: 'user-setting', says: setting },
    rule === undefined
      ? { decider: 'network-rule', says: 'automatic' }
      : { decider: 'network-rule', of: rule.network, says: rule.cache },
  ];
  const owner = organizations.find(({ name }) => name === repository.namespace);
  const others = organizations.filter((organization) => organization !== owner);
  for (const { name, cache } of owner === undefined ? others : [owner, ...others]) {
    steps.push({ decider: 'organization-default', of: name, says: cache });
  }
  steps.push({ decider: 'system-default', says: systemDefault ?? 'automatic' });
  return steps;
}

function whyNot(
  cache: ContentCache,
  { health, excluded }: Pick<ChoiceFacts, 'health' | 'excluded'>,
): ChoiceStep['skipped'] {
  if (!cache.isEnabled) return 'disabled';
  if (health.stateOf(cache.id) === 'down') return 'down';
  return excluded.get(cache.id);
}
