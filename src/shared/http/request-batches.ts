/**
 * Requests that come at the same time are taken together, step by step: first all are read, then all are looked at, then all are
 * signed, then all are answered. Why that takes half the time: docs/decisions/0014-requests-in-batches.md.
 */

/** Bounds what the first of a batch waits for the others. */
const maximumTogether = 64;

let gathering: { readonly ready: Promise<void>; readonly begin: () => void; count: number } | undefined;

/**
 * Resolves when the event loop has read all that its connections brought, for everybody who asked meanwhile: they go on side by
 * side, one step of each after the other. Who asks alone goes on at once. Not for requests with a body (`readableEnded` is false):
 * an early answer shall be on its way before more of it has come.
 */
export function nextBatch(): Promise<void> {
  if (gathering === undefined) {
    const { promise, resolve } = Promise.withResolvers<void>();
    gathering = { ready: promise, begin: resolve, count: 0 };
    setImmediate(beginBatch);
  }
  const { ready } = gathering;
  gathering.count += 1;
  if (gathering.count === maximumTogether) beginBatch();
  return ready;
}

function beginBatch(): void {
  gathering?.begin();
  gathering = undefined;
}
