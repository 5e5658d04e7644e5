/** How far the caches are from this browser, in milliseconds there and back, as they come in. */
import { useEffect, useMemo, useState } from 'react';
import type { DistanceAnswer, DistanceRequest } from './distance-worker.ts';
import workerUrl from './distance-worker.ts?worker&url';

export type Distance =
  | { readonly kind: 'measuring' }
  | { readonly kind: 'measured'; readonly ms: number }
  /** A page that came by https may not ask a host by http. */
  | { readonly kind: 'insecure' }
  | { readonly kind: 'unreachable' };

/** The origin allows the worker this many hosts at a time. */
const maximumMeasured = 30;

export function useDistances(caches: readonly DistanceRequest[]): ReadonlyMap<string, Distance> {
  const [answers, setAnswers] = useState<ReadonlyMap<string, number | undefined>>(new Map());
  // As text, so that nothing is measured again when anything else about the caches changes.
  const measurable = JSON.stringify(
    caches
      .filter(({ host }) => mayAsk(host))
      .slice(0, maximumMeasured)
      .map(({ id, host }) => ({ id, host })),
  );
  useEffect(() => {
    const requests = JSON.parse(measurable) as DistanceRequest[];
    if (requests.length === 0) return;
    // The hosts, too: a cache that moved is another question, whatever the browser kept of the answer to the one before.
    const query = new URLSearchParams(
      requests.flatMap(({ id, host }) => [
        ['cache', id],
        ['host', host],
      ]),
    );
    // A script that the browser still has would come with the policy of the hosts as they were.
    query.set('at', String(performance.now()));
    const hostOf = new Map(requests.map(({ id, host }) => [id, host]));
    const worker = new Worker(`${workerUrl}?${query}`, { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<DistanceAnswer>) =>
      setAnswers((known) => new Map(known).set(`${data.id} ${hostOf.get(data.id)}`, data.ms));
    worker.postMessage(requests);
    return () => worker.terminate();
  }, [measurable]);
  return useMemo(
    () => new Map(caches.map(({ id, host }) => [id, distanceOf(id, host, answers)])),
    [caches, answers],
  );
}

function distanceOf(id: string, host: string, answers: ReadonlyMap<string, number | undefined>): Distance {
  if (!mayAsk(host)) return { kind: 'insecure' };
  const key = `${id} ${host}`;
  if (!answers.has(key)) return { kind: 'measuring' };
  const ms = answers.get(key);
  return ms === undefined ? { kind: 'unreachable' } : { kind: 'measured', ms };
}

/** Browsers trust their own machine by http, too. */
function mayAsk(host: string): boolean {
  const { protocol, hostname } = new URL(host);
  return (
    location.protocol === 'http:' || protocol === 'https:' || /^(localhost|127\.|\[::1\])/.test(hostname)
  );
}
