/**
 * Downloads at the same time, each again when it has ended. Arguments: URL, clients, seconds, then header lines. Fails when an
 * answer is not 200.
 */
import { Agent, get } from 'node:http';

const [url, clients, seconds, ...headerLines] = process.argv.slice(2) as [
  string,
  string,
  string,
  ...string[],
];
const agent = new Agent({ keepAlive: true });
const headers = Object.fromEntries(headerLines.map((line) => line.split(/: (.*)/s).slice(0, 2)));

function download(): void {
  get(url, { agent, headers }, (response) => {
    if (response.statusCode !== 200) throw new Error(`${response.statusCode}`);
    response.resume();
    response.once('end', download);
  });
}

for (let client = 0; client < Number(clients); client += 1) download();
setTimeout(() => process.exit(0), Number(seconds) * 1000);
