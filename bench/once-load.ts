/** Downloads at the same time, each once. Arguments: URL, clients. Prints the seconds until the last has ended. */
import { get } from 'node:http';

const [url, clients] = process.argv.slice(2) as [string, string];

function download(): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${response.statusCode}`));
      response.resume();
      response.once('end', resolve);
      response.once('error', reject);
    }).once('error', reject);
  });
}

const startedAt = performance.now();
await Promise.all(Array.from({ length: Number(clients) }, download));
process.stdout.write(`${(performance.now() - startedAt) / 1000}\n`);
