/** One content cache as an origin watches it: how it was found, and when it is its turn again. */
import type { Finding } from './findings.ts';
import type { HealthRecord, WatchedCache } from './health-records.ts';
import { afterProbe, type Standing } from './health-state.ts';

export interface Watch extends WatchedCache {
  cache: WatchedCache['cache'];
  record: HealthRecord;
  revision: number;
  standing: Standing;
  /** This origin probes it until then; 0: another does. */
  leaseUntil: number;
  nextProbeAt: number;
  /** A pull has failed at it since the last probe. */
  suspected: boolean;
  running: Promise<void> | undefined;
}

/** Of a cache of which this origin knows what the database does. */
export function beginWatch(written: WatchedCache): Watch {
  return { ...newsOf(written), leaseUntil: 0, nextProbeAt: 0, suspected: false, running: undefined };
}

/** What another origin found, or an admin changed. */
export function newsOf({ cache, record, revision }: WatchedCache) {
  const { state, since } = record;
  return { cache, record, revision, standing: { state, since, leaning: { towards: state, findings: 1 } } };
}

/** A probe has ended. */
export function takeFinding(watch: Watch, { trouble, status, ...finding }: Finding): void {
  watch.standing = afterProbe(watch.standing, {
    verdict: trouble?.verdict ?? 'good',
    suspected: watch.suspected,
    now: finding.probedAt,
  });
  const { state, since } = watch.standing;
  const before = watch.record;
  watch.suspected = false;
  watch.record = {
    state,
    since,
    ...finding,
    lastError:
      trouble === undefined
        ? before.lastError
        : { at: finding.probedAt, reason: trouble.reason, message: trouble.message },
    version: status?.version ?? before.version,
    protocol: status?.protocol ?? before.protocol,
    disk: status?.disk ?? before.disk,
    stored: status?.stored ?? before.stored,
  };
}

/** Worth telling other origins at once. */
export function isNews(before: HealthRecord, now: HealthRecord): boolean {
  return (
    before.state !== now.state ||
    before.lastError?.reason !== now.lastError?.reason ||
    before.version !== now.version ||
    before.probedAt === undefined
  );
}
