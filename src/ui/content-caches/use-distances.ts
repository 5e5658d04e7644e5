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
  const measurable = useMemo(
    () => caches.filter(({ host }) => mayAsk(host)).slice(0, maximumMeasured),
    [caches],
  );
  useEffect(() => {
    if (measurable.length === 0) return;
    const query = new URLSearchParams(measurable.map(({ id }) => ['cache', id]));
    const worker = new Worker(`${workerUrl}?${query}`, { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<DistanceAnswer>) =>
      setAnswers((known) => new Map(known).set(data.id, data.ms));
    worker.postMessage(measurable.map(({ id, host }) => ({ id, host })));
    return () => worker.terminate();
  }, [measurable]);
  return useMemo(
    () => new Map(caches.map(({ id, host }) => [id, distanceOf(id, host, answers)])),
    [caches, answers],
  );
}

function distanceOf(id: string, host: string, answers: ReadonlyMap<string, number | undefined>): Distance {
  if (!mayAsk(host)) return { kind: 'insecure' };
  if (!answers.has(id)) return { kind: 'measuring' };
  const ms = answers.get(id);
  return ms === undefined ? { kind: 'unreachable' } : { kind: 'measured', ms };
}

/** Browsers trust their own machine by http, too. */
function mayAsk(host: string): boolean {
  const { protocol, hostname } = new URL(host);
  return (
    location.protocol === 'http:' || protocol === 'https:' || /^(localhost|127\.|\[::1\])/.test(hostname)
  );
}
