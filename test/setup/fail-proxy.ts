/**
 * What lies between clients and a content cache, failing as told. It may fail for everybody, as when the cache is dead, or for
 * blobs alone: then the origin, which asks for no blobs, finds the cache well.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { after } from 'node:test';
import { listen } from '../../src/shared/http/shutdown.ts';
import { stop } from './processes.ts';

export type Fault =
  | { readonly kind: 'none' }
  /** Nobody listens. */
  | { readonly kind: 'refuses' }
  /** Packets get lost: nobody even refuses a connection. */
  | { readonly kind: 'drops' }
  /** The connection is reset when the request has come. */
  | { readonly kind: 'resets' }
  /** The connection stands, and nothing is answered. */
  | { readonly kind: 'is silent' }
  | { readonly kind: 'answers'; readonly status: number }
  /** The answer goes no further than so many bytes of its body; the connection stays, or ends when that has lasted long. */
  | { readonly kind: 'stalls'; readonly afterBytes: number; readonly forMs?: number }
  /** The connection ends there. */
  | { readonly kind: 'cuts'; readonly afterBytes: number };

export interface FailProxy {
  readonly url: string;
  /** Everything, or only requests for blobs. The first two faults are everybody's. */
  fail(fault: Fault, whom?: 'everybody' | 'blobs'): Promise<void>;
}

/** Longer than any test waits. */
const maximumStallMs = 600_000;

/** In front of the server at `upstream`; stopped when the surrounding suite (or file) ends. */
export async function startFailProxy(upstream: string): Promise<FailProxy> {
  let fault: Fault = { kind: 'none' };
  let whom: 'everybody' | 'blobs' = 'everybody';
  const handle = (incoming: IncomingMessage, answer: ServerResponse) => {
    const spared = whom === 'blobs' && !(incoming.url ?? '').includes('/blobs/');
    forward(upstream, incoming, answer, spared ? { kind: 'none' } : fault);
  };
  let server: Server | undefined = createServer(handle);
  const port = await listen(server, { host: '127.0.0.1', port: 0 });
  let void_: Awaited<ReturnType<typeof startVoid>> | undefined;
  const close = async () => {
    await void_?.stop();
    void_ = undefined;
    server?.closeAllConnections();
    await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
    server = undefined;
  };
  after(close);
  return {
    url: `http://127.0.0.1:${port}`,
    fail: async (next, forWhom = 'everybody') => {
      fault = next;
      whom = forWhom;
      await close();
      if (next.kind === 'refuses') return;
      if (next.kind === 'drops') {
        void_ = await startVoid(port);
        return;
      }
      server = createServer(handle);
      await listen(server, { host: '127.0.0.1', port });
    },
  };
}

function forward(upstream: string, incoming: IncomingMessage, answer: ServerResponse, fault: Fault): void {
  switch (fault.kind) {
    case 'resets':
      incoming.socket.resetAndDestroy();
      return;
    case 'is silent':
      return;
    case 'answers':
      answer.writeHead(fault.status, { 'Content-Type': 'text/plain' }).end('no\n');
      return;
  }
  const { method = 'GET', url, headers } = incoming;
  const onward = request(upstream + url, { method, headers, agent: false });
  onward.on('error', () => incoming.socket.destroy());
  answer.on('close', () => onward.destroy());
  onward.on('response', (response) => {
    answer.writeHead(response.statusCode ?? 502, response.headers);
    pass(response, answer, fault).catch(() => incoming.socket.destroy());
  });
  incoming.pipe(onward);
}

async function pass(response: IncomingMessage, answer: ServerResponse, fault: Fault): Promise<void> {
  let left = 'afterBytes' in fault ? fault.afterBytes : Number.POSITIVE_INFINITY;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    const part = chunk.subarray(0, left);
    left -= part.byteLength;
    if (!answer.write(part)) await once(answer, 'drain');
    if (left > 0) continue;
    if (fault.kind === 'cuts') answer.socket?.destroy();
    const end = setTimeout(
      () => answer.socket?.destroy(),
      ('forMs' in fault ? fault.forMs : undefined) ?? maximumStallMs,
    );
    // The rest is never read, for as long as the client stays.
    await once(answer, 'close');
    clearTimeout(end);
    return;
  }
  answer.end();
}

/**
 * A port whose packets get lost: a process that listens and is stopped does not accept, and once its queue is full the system
 * drops whoever knocks.
 */
async function startVoid(port: number): Promise<{ stop(): Promise<void> }> {
  const program = `require('node:net').createServer().listen({ host: '127.0.0.1', port: ${port}, backlog: 1 }, () => console.log('ready'))`;
  const child = spawn(process.execPath, ['--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGSTOP');
  const waiting: Socket[] = [];
  for (let full = false; !full; ) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    waiting.push(socket);
    full = await Promise.race([
      once(socket, 'connect').then(() => false),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(true), 300)),
    ]);
  }
  return {
    stop: async () => {
      for (const socket of waiting) socket.destroy();
      child.kill('SIGCONT');
      await stop(child);
    },
  };
}
