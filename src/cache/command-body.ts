/** The body of a command: read whole, with a limit and a deadline. */
import type { IncomingMessage } from 'node:http';
import { DomainError } from '../shared/errors.ts';
import { ClientGone } from '../shared/http/send-blob.ts';

const maximumBytes = 1024 * 1024;
const defaultDeadlineMs = 10_000;

/** @throws DomainError `too-large`, `progress-timeout`; ClientGone */
export function readBody(
  request: IncomingMessage,
  { deadlineMs = defaultDeadlineMs }: { deadlineMs?: number } = {},
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const take = (chunk: Buffer) => {
    sizeBytes += chunk.byteLength;
    chunks.push(chunk);
    if (sizeBytes > maximumBytes) reject(tooLarge());
  };
  const done = () => resolve(Buffer.concat(chunks));
  const gone = () => reject(new ClientGone());
  const late = setTimeout(
    () => reject(new DomainError('progress-timeout', `the body did not come within ${deadlineMs} ms`)),
    deadlineMs,
  );
  if (Number(request.headers['content-length'] ?? 0) > maximumBytes) reject(tooLarge());
  // Node says nothing more of a request that came without a body.
  else if (request.readableEnded) done();
  else request.on('data', take).once('end', done).once('close', gone);
  // Who refuses reads on by itself what is still sent.
  return promise.finally(() => {
    clearTimeout(late);
    request.off('data', take).off('end', done).off('close', gone);
  });
}

function tooLarge(): DomainError {
  return new DomainError('too-large', `at most ${maximumBytes} bytes expected`);
}
