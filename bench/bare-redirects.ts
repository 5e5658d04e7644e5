/**
 * A peer for redirects: Node's HTTP server answering every request for a blob with the same 307, as long as ours, and nothing done for it. What
 * remains beneath it is for our own work. `bare-redirects.ts <port>`.
 */
import { createServer } from 'node:http';

const [port] = process.argv.slice(2);
const digest = `sha256:${'0'.repeat(64)}`;
const headers = {
  'Docker-Distribution-Api-Version': 'registry/2.0',
  'X-Content-Type-Options': 'nosniff',
  'Content-Length': 0,
  Location: `http://127.0.0.1:5000/v2/bench/blobs/${digest}?token=${'x'.repeat(560)}&request=${'x'.repeat(32)}`,
  'Cache-Control': 'no-store',
  'Referrer-Policy': 'no-referrer',
  'Docker-Content-Digest': digest,
};
createServer((request, response) => {
  // By this the bench sees that it has started.
  if (request.url !== '/v2/') response.writeHead(307, headers);
  response.end();
}).listen(Number(port), '127.0.0.1');
