/** Bodies of requests: read whole up to a limit, or streamed, with a deadline on progress and none on the whole. */
import { DomainError } from '../../shared/errors.ts';
import type { Exchange } from './exchange.ts';

/** What reading a body takes of an exchange. */
type Sender = Pick<Exchange, 'request' | 'response'>;

const idleTimeoutMs = 60_000;

/** @throws DomainError `too-large`, before reading when the length is announced; `progress-timeout` */
export async function readBody(sender: Sender, maximumBytes: number): Promise<Buffer> {
  const tooLarge = () => new DomainError('too-large', `at most ${maximumBytes} bytes expected`);
  if (Number(sender.request.headers['content-length'] ?? 0) > maximumBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  await streamBody(sender, async (chunk) => {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maximumBytes) throw tooLarge();
    chunks.push(chunk);
  });
  return Buffer.concat(chunks, sizeBytes);
}

/**
 * Hands the body on chunk by chunk, waiting for each to be taken. A client that asked first whether to send it
 * (`Expect: 100-continue`) is told so only here: whoever is refused before has sent nothing.
 * @throws DomainError `progress-timeout`; Node's error when the client breaks off
 */
export async function streamBody(
  { request, response }: Sender,
  take: (chunk: Buffer) => Promise<void>,
): Promise<void> {
  if (request.headers.expect !== undefined) response.writeContinue();
  const stalled = () =>
    request.destroy(new DomainError('progress-timeout', `no byte arrived for ${idleTimeoutMs} ms`));
  request.setTimeout(idleTimeoutMs, stalled);
  try {
    // Leaving the loop early must not destroy the socket: the client is owed an answer.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) await take(chunk);
  } finally {
    // What follows, such as syncing a large blob to disk, may take its time.
    request.off('timeout', stalled);
    request.setTimeout(0);
  }
}
