/** An origin as a process of its own, without TLS, for clients that push and pull. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { basic } from './origin.ts';
import { startProgram } from './processes.ts';

export interface ServedOrigin {
  /** `127.0.0.1:<port>`, as clients name it. */
  readonly host: string;
  readonly user: string;
  readonly password: string;
  /** A request of the admin's, who reaches everything in the repository. */
  get(repository: string, path: string, headers?: Record<string, string>): Promise<Response>;
  readonly pid: number;
  stop(): Promise<void>;
}

export async function startServedOrigin(directory: string): Promise<ServedOrigin> {
  const host = `127.0.0.1:${await freePort()}`;
  const url = `http://${host}`;
  const data = join(directory, 'data');
  const program = await startProgram('dtr', [
    'serve',
    ...['--data', data, '--listen', host, '--external-url', url, '--no-tls'],
  ]);
  const password = (await readFile(join(data, 'admin-password'), 'utf8')).trim();
  return {
    host,
    user: 'admin',
    password,
    get: async (repository, path, headers = {}) => {
      const answer = await fetch(`${url}/auth/token?service=${host}&scope=repository:${repository}:pull`, {
        headers: { Authorization: basic(`admin:${password}`) },
      });
      const { token } = (await answer.json()) as { token: string };
      return fetch(`${url}/v2/${repository}/${path}`, {
        headers: { Authorization: `Bearer ${token}`, ...headers },
      });
    },
    pid: program.pid,
    stop: () => program.stop(),
  };
}
