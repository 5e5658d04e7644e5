/** A client that pulls as real ones do, in this process: it follows redirects, and comes back to the origin, or does not. */
import { Agent, fetch } from 'undici';
import type { TestOrigin } from './origin.ts';

export interface SimulatedClient {
  readonly origin: TestOrigin;
  readonly repository: string;
  readonly user: string;
  readonly password: string;
  /** Where it says it comes from: the origin trusts the proxy that it is behind. */
  readonly address: string;
  readonly userAgent: string;
  /** How often it asks the origin again for one blob: docker five times, podman 4 never. */
  readonly retries: number;
  /** Whether it then asks for the rest, and not for the whole again. */
  readonly resumes: boolean;
  /** After so long without a byte it gives up a connection to a cache. */
  readonly stallMs: number;
}

export class PullFailed extends Error {}

/** A registry token, as a client gets one for each pull. */
export function pullToken({ origin, user, password, repository }: SimulatedClient): Promise<string> {
  return origin.token(user, password, `repository:${repository}:pull`);
}

/** Pulls the blobs at the same time, with one token. @throws PullFailed */
export async function pullBlobs(
  client: SimulatedClient,
  digests: readonly string[],
  token?: string,
): Promise<Buffer[]> {
  const bearer = token ?? (await pullToken(client));
  const dispatcher = new Agent({
    connect: { timeout: client.stallMs },
    headersTimeout: client.stallMs,
    bodyTimeout: client.stallMs,
  });
  try {
    return await Promise.all(digests.map((digest) => pullBlob(client, bearer, digest, dispatcher)));
  } finally {
    await dispatcher.destroy();
  }
}

async function pullBlob(
  client: SimulatedClient,
  token: string,
  digest: string,
  dispatcher: Agent,
): Promise<Buffer> {
  const { origin, repository, userAgent, address } = client;
  const url = `${origin.url}/v2/${repository}/blobs/${digest}`;
  let received: Uint8Array[] = [];
  let failure: unknown;
  for (let attempt = 0; attempt <= client.retries; attempt += 1) {
    if (!client.resumes) received = [];
    const receivedBytes = received.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    const range = receivedBytes > 0 ? { Range: `bytes=${receivedBytes}-` } : {};
    const common = { 'User-Agent': userAgent, 'X-Forwarded-For': address, ...range };
    try {
      let response = await fetch(url, {
        redirect: 'manual',
        headers: { Authorization: `Bearer ${token}`, ...common },
      });
      const location = response.headers.get('location');
      if (location !== null) {
        await response.body?.cancel();
        response = await fetch(location, { dispatcher, headers: common });
      }
      if (response.status !== 200 && response.status !== 206) {
        await response.body?.cancel();
        throw new Error(`status ${response.status}`);
      }
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
        received.push(chunk);
      }
      return Buffer.concat(received);
    } catch (error) {
      failure = error;
    }
  }
  throw new PullFailed(`${digest} could not be pulled`, { cause: failure });
}
