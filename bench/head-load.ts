/**
 * HEAD requests over raw sockets, since wrk waits for bodies that an answer to HEAD does not have.
 * Arguments: host, port, path, seconds, then header lines. Prints requests per second.
 */
import { connect } from 'node:net';

const [host, port, path, seconds, ...headers] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  ...string[],
];
const connections = 32;
const request = `HEAD ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`;

let answers = 0;
const startedAt = performance.now();
for (let index = 0; index < connections; index += 1) {
  const socket = connect({ host, port: Number(port), noDelay: true });
  let pending = '';
  socket.on('connect', () => socket.write(request));
  socket.on('data', (chunk) => {
    pending += chunk.toString('latin1');
    if (!pending.endsWith('\r\n\r\n')) return;
    if (!pending.startsWith('HTTP/1.1 200')) throw new Error(pending);
    pending = '';
    answers += 1;
    socket.write(request);
  });
}
setTimeout(() => {
  process.stdout.write(`${(answers / (performance.now() - startedAt)) * 1000}\n`);
  process.exit(0);
}, Number(seconds) * 1000);
