/** A port that nobody uses: for servers that must know their own address before they listen. */
import { createServer } from 'node:net';
import { listen } from '../../src/shared/http/shutdown.ts';

export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server as Parameters<typeof listen>[0], { host: '127.0.0.1', port: 0 });
  await new Promise((resolve) => server.close(resolve));
  return port;
}
