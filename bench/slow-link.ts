/** A link between two servers with a limited rate, which counts what came through it: the ocean between cache and origin. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface SlowLink {
  readonly url: string;
  /** Bytes that came from the far end so far. */
  readonly receivedBytes: number;
  /** Bytes per second from the far end, all connections together. */
  rate: number;
  stop(): void;
}

export async function startSlowLink(to: string, rate: number): Promise<SlowLink> {
  const { hostname, port } = new URL(to);
  const sockets = new Set<Socket>();
  /** The moment up to which the link is booked. */
  let freeAt = performance.now();
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    near.pipe(far);
    carry(far, near).catch(() => near.destroy());
  });
  const carry = async (far: Socket, near: Socket) => {
    for await (const chunk of far as AsyncIterable<Buffer>) {
      link.receivedBytes += chunk.byteLength;
      freeAt = Math.max(freeAt, performance.now()) + (chunk.byteLength / link.rate) * 1000;
      const waitMs = freeAt - performance.now();
      if (waitMs > 2) await delay(waitMs);
      if (!near.write(chunk)) await once(near, 'drain');
    }
    near.end();
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as { port: number };
  const link = {
    url: `http://127.0.0.1:${address.port}`,
    receivedBytes: 0,
    rate,
    stop: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  return link;
}
