/** Starting to listen and draining: how every server of this project begins and ends. */
import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export type AnyServer = HttpServer | HttpsServer;

/** Where to listen, as Docker Registry configurations write it: `:5000`, `0.0.0.0:443`, `[::1]:5000`. */
export interface ListenAddress {
  readonly host: string | undefined;
  readonly port: number;
}

/** `undefined` when the text is not `[host]:port`. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]*):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) return undefined;
  const host = (match[1] as string).replace(/^\[|\]$/g, '');
  return { host: host === '' ? undefined : host, port };
}

/** Resolves with the port once the server listens (the system's choice for port 0). Rejects with the system's error. */
export function listen(server: AnyServer, address: ListenAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Takes no new connection, lets running requests end for up to `drainMs`, then cuts the rest. */
export function drain(server: AnyServer, drainMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), drainMs);
    // A connection that was busy when the draining began is kept alive by its client after the answer.
    const sweep = setInterval(() => server.closeIdleConnections(), 50);
    server.close(() => {
      clearTimeout(cut);
      clearInterval(sweep);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** Why a server could not listen, in one line for a person. */
export function describeListenError(error: NodeJS.ErrnoException, address: ListenAddress): string {
  const where = `${address.host ?? ''}:${address.port}`;
  if (error.code === 'EADDRINUSE') return `cannot listen on ${where}: the port is taken by another program`;
  if (error.code === 'EACCES')
    return `cannot listen on ${where}: not permitted (ports below 1024 need rights)`;
  return `cannot listen on ${where}: ${error.message}`;
}
