/**
 * Times how far a cache is from this browser. It runs in a worker of its own, because the worker's script is the only thing
 * that the origin allows to reach the caches, and only those that it was asked for by `?cache=<id>`.
 */
export interface DistanceRequest {
  readonly id: string;
  readonly host: string;
}

export interface DistanceAnswer {
  readonly id: string;
  /** The shortest of a few round trips; `undefined` when none came back. */
  readonly ms: number | undefined;
}

const tries = 4;

addEventListener('message', async ({ data }: MessageEvent<readonly DistanceRequest[]>) => {
  for (const request of data) {
    const ms = await measure(request.host);
    postMessage({ id: request.id, ms } satisfies DistanceAnswer);
  }
});

/** The first try opens the connection, the next ones travel on it. Nothing of the answer can be read, nor need be. */
async function measure(host: string): Promise<number | undefined> {
  let shortest: number | undefined;
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const began = performance.now();
    try {
      await fetch(`${host}/v2/`, {
        mode: 'no-cors',
        credentials: 'omit',
        cache: 'no-store',
        signal: AbortSignal.timeout(3_000),
      });
    } catch {
      return shortest;
    }
    const ms = performance.now() - began;
    if (attempt > 0 && (shortest === undefined || ms < shortest)) shortest = ms;
  }
  return shortest;
}
