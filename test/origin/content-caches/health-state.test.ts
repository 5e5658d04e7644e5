import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  afterProbe,
  isUndecided,
  type Standing,
  unknownSince,
  type Verdict,
} from '../../../src/origin/content-caches/health-state.ts';

/** The states after each probe, one second apart. A verdict with `!` comes after a pull that failed. */
function states(...probes: (Verdict | `${Verdict}!`)[]): string[] {
  let standing = unknownSince(0);
  return probes.map((probe, index) => {
    standing = afterProbe(standing, {
      verdict: probe.replace('!', '') as Verdict,
      suspected: probe.endsWith('!'),
      now: 1_000 * (index + 1),
    });
    return standing.state;
  });
}

describe('the state of a cache', () => {
  const cases: [what: string, probes: (Verdict | `${Verdict}!`)[], states: string[]][] = [
    ['is what the first probe finds', ['good'], ['healthy']],
    ['is down at once when the first probe fails', ['failed'], ['down']],
    ['survives one failed probe', ['good', 'failed', 'good'], ['healthy', 'healthy', 'healthy']],
    ['is down after two in a row', ['good', 'failed', 'failed'], ['healthy', 'healthy', 'down']],
    ['is down after one when a pull failed, too', ['good', 'failed!'], ['healthy', 'down']],
    ['is not down by a suspicion alone', ['good', 'good!'], ['healthy', 'healthy']],
    ['is down at once when it is of no use here', ['good', 'unfit'], ['healthy', 'down']],
    ['is healthy again after two good ones', ['failed', 'good', 'good'], ['down', 'down', 'healthy']],
    ['stays down while it flaps', ['failed', 'good', 'failed', 'good'], ['down', 'down', 'down', 'down']],
    ['is degraded after two of these', ['good', 'impaired', 'impaired'], ['healthy', 'healthy', 'degraded']],
    ['goes from down to degraded', ['failed', 'impaired', 'impaired'], ['down', 'down', 'degraded']],
    [
      'counts failed and unfit alike',
      ['good', 'failed', 'unfit', 'good', 'good'],
      ['healthy', 'healthy', 'down', 'down', 'healthy'],
    ],
  ];
  for (const [what, probes, expected] of cases) {
    it(what, () => assert.deepEqual(states(...probes), expected));
  }

  it('remembers when it came', () => {
    let standing: Standing = unknownSince(5);
    assert.equal(standing.since, 5);
    for (const now of [10, 20, 30]) {
      standing = afterProbe(standing, { verdict: 'good', suspected: false, now });
    }
    assert.equal(standing.since, 10);
  });

  it('is undecided after a finding that speaks for another', () => {
    const healthy = afterProbe(unknownSince(0), { verdict: 'good', suspected: false, now: 1 });
    assert.equal(isUndecided(healthy), false);
    assert.equal(isUndecided(afterProbe(healthy, { verdict: 'failed', suspected: false, now: 2 })), true);
  });
});
