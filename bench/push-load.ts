/**
 * Pushes of layers at the same time: each its own bytes, by POST, PATCH and PUT. Arguments: URL, repository, number of
 * pushes, bytes of each, then header lines. Prints the seconds until all are acknowledged.
 */
import { createHash, randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';

const [url, repository, pushes, sizeBytes, ...headerLines] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  ...string[],
];
const agent = new Agent({ keepAlive: true });
const headers = Object.fromEntries(headerLines.map((line) => line.split(/: (.*)/s).slice(0, 2)));

function send(method: string, target: string, body: Buffer | undefined, expected: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const length = { 'Content-Length': body?.byteLength ?? 0, 'Content-Type': 'application/octet-stream' };
    const outgoing = request(new URL(target, url), { method, agent, headers: { ...headers, ...length } });
    outgoing.once('error', reject);
    outgoing.once('response', (response) => {
      response.resume();
      if (response.statusCode !== expected) reject(new Error(`${method} ${target}: ${response.statusCode}`));
      response.once('end', () => resolve(response.headers.location ?? ''));
    });
    outgoing.end(body);
  });
}

// Made beforehand: what is measured is the registry. One random part and a number tell the layers apart.
const common = randomBytes(Number(sizeBytes) - 8);
const layers = Array.from({ length: Number(pushes) }, (_, index) => {
  const bytes = Buffer.concat([common, Buffer.alloc(8, `${process.hrtime.bigint()}${index}`.slice(-8))]);
  return { bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
});
const startedAt = performance.now();
await Promise.all(
  layers.map(async ({ bytes, digest }) => {
    const session = await send('POST', `/v2/${repository}/blobs/uploads/`, undefined, 202);
    const patched = await send('PATCH', session, bytes, 202);
    const mark = patched.includes('?') ? '&' : '?';
    await send('PUT', `${patched}${mark}digest=${digest}`, undefined, 201);
  }),
);
process.stdout.write(`${(performance.now() - startedAt) / 1000}\n`);
process.exit(0);
