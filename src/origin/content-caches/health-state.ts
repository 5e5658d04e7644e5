/**
 * From what probes find to the state of a cache. Pure. A state changes on the second finding of a kind in a row, so that one lost
 * packet moves no pulls; at once where there is nothing to wait for.
 */

export type HealthState = 'unknown' | 'healthy' | 'degraded' | 'down';

/**
 * `good`: as it should be. `impaired`: it serves, and an admin should look. `failed`: it did not answer as it should, which may
 * pass. `unfit`: it answered, and what it said makes it useless to this origin.
 */
export type Verdict = 'good' | 'impaired' | 'failed' | 'unfit';

export interface Standing {
  readonly state: HealthState;
  /** When it came into the state, in ms since the epoch. */
  readonly since: number;
  /** The state that the last findings speak for, and how many of them. */
  readonly leaning: { readonly towards: HealthState; readonly findings: number };
}

const findingsNeeded = 2;

export function unknownSince(now: number): Standing {
  return { state: 'unknown', since: now, leaning: { towards: 'unknown', findings: 0 } };
}

/** `suspected`: a pull has just failed at this cache, so a failed probe is the second finding. */
export function afterProbe(
  before: Standing,
  probe: { verdict: Verdict; suspected: boolean; now: number },
): Standing {
  const towards = stateOf(probe.verdict);
  const findings = before.leaning.towards === towards ? before.leaning.findings + 1 : 1;
  const leaning = { towards, findings };
  const decided =
    before.state === 'unknown' ||
    probe.verdict === 'unfit' ||
    (probe.verdict === 'failed' && probe.suspected) ||
    findings >= findingsNeeded;
  if (towards === before.state || !decided) return { ...before, leaning };
  return { state: towards, since: probe.now, leaning };
}

/** True when the last finding spoke for another state: the next probe should come soon. */
export function isUndecided({ state, leaning }: Standing): boolean {
  return leaning.findings > 0 && leaning.towards !== state;
}

function stateOf(verdict: Verdict): HealthState {
  switch (verdict) {
    case 'good':
      return 'healthy';
    case 'impaired':
      return 'degraded';
    case 'failed':
    case 'unfit':
      return 'down';
  }
}
