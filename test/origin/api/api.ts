/** An origin with a few users, and raw requests to its API whose answers are held against openapi.yaml. */
import assert from 'node:assert/strict';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { findDocumentedOperation } from '../../setup/documented-operations.ts';
import { basic, startTestOrigin, type TestOrigin } from '../../setup/origin.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The parsed body; `undefined` when it is empty. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever came, for the test to judge
  readonly body: any;
  /** The code of the error, if it is one. */
  readonly code: string | undefined;
}

interface Ask {
  /** A user that `startApi` or `addUser` made, or `nobody`. */
  readonly as?: string;
  readonly headers?: Record<string, string | string[]>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, in place of `body`. */
  readonly raw?: string | Buffer;
}

export interface Api {
  readonly origin: TestOrigin;
  /** The path goes out as it is written, not normalised. */
  ask(method: string, path: string, options?: Ask): Promise<Answer>;
  credentials(user: string): string;
  /** Creates a user who can sign in, or, with `isOrg`, an organization; `more` is what else the account is. */
  add(name: string, more?: Record<string, unknown>): Promise<void>;
  /** One value from the database, as another process sees it. */
  look(sql: string, ...values: (string | number)[]): unknown;
  /** Does to the database what a defect would. */
  tamper(sql: string): void;
}

/** `ann` and `bob` are users, `idle` is one that was deactivated. */
export async function startApi(options: Parameters<typeof startTestOrigin>[0] = {}): Promise<Api> {
  const origin = await startTestOrigin(options);
  const passwordOf = (user: string) => (user === 'admin' ? origin.adminPassword : `${user}-password`);
  const withDatabase = <T>(work: (database: BetterSqlite3.Database) => T): T => {
    const database = new BetterSqlite3(join(origin.dataDirectory, 'dtr.db'));
    try {
      return work(database);
    } finally {
      database.close();
    }
  };
  const api: Api = {
    origin,
    credentials: (user) => `${user}:${passwordOf(user)}`,
    add: async (name, more = {}) => {
      const password = more.isOrg || more.isServiceAccount ? {} : { password: passwordOf(name) };
      const answer = await api.ask('POST', '/api/v0/accounts', { body: { name, ...password, ...more } });
      assert.equal(answer.status, 201, answer.text);
    },
    look: (sql, ...values) =>
      withDatabase((database) =>
        database
          .prepare(sql)
          .pluck()
          .get(...values),
      ),
    tamper: (sql) => withDatabase((database) => database.exec(sql)),
    ask: async (method, path, { as = 'admin', headers = {}, body, raw } = {}) => {
      const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
      const answer = await send(origin.url, method, path, sent, {
        ...(as === 'nobody' ? {} : { Authorization: basic(api.credentials(as)) }),
        ...(sent === undefined
          ? {}
          : { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(sent)) }),
        ...headers,
      });
      assertDocumented(method, path, answer);
      assertNothingSecret(method, path, answer);
      return answer;
    },
  };
  for (const name of ['ann', 'bob', 'idle']) await api.add(name, { isActive: name !== 'idle' });
  return api;
}

function send(
  origin: string,
  method: string,
  path: string,
  body: string | Buffer | undefined,
  headers: Record<string, string | string[]>,
): Promise<Answer> {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const isJson = /^application\/json\b/.test(response.headers['content-type'] ?? '');
        const parsed = isJson && text !== '' ? JSON.parse(text) : undefined;
        const status = response.statusCode ?? 0;
        resolve({
          status,
          headers: response.headers,
          text,
          body: parsed,
          code: status >= 400 ? parsed?.errors?.[0]?.code : undefined,
        });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Bodies of successes are checked by the origin itself; this looks at statuses and at errors. */
function assertDocumented(method: string, path: string, { status, body, text }: Answer): void {
  if (status >= 400 && method !== 'HEAD') {
    const [error, ...more] = body?.errors ?? [];
    assert.deepEqual(more, [], `one error expected: ${text}`);
    assert.match(error?.code ?? '', /^[A-Z_]+$/, `an error of the API expected: ${text}`);
    assert.equal(typeof error.message, 'string');
    assert.deepEqual(
      Object.keys(error).filter((key) => !['code', 'message', 'detail'].includes(key)),
      [],
    );
  }
  const operation = findDocumentedOperation(method, path);
  if (operation !== undefined) {
    assert.ok(String(status) in operation.responses, `${method} ${path}: ${status} is not in openapi.yaml`);
  }
}

/** What looks like a secret and is none, or is given to whom it is theirs. */
const expectedKeys: Record<string, RegExp> = {
  hashedToken: /\/api_tokens/,
  tokenLabel: /\/api_tokens/,
  token: /^POST .*\/api_tokens/,
  csrfToken: /\/session$/,
  hashMismatch: /\/tags/,
};

/** No hash, key or session is in any answer (threats B16). */
function assertNothingSecret(method: string, path: string, { body, text }: Answer): void {
  const request = `${method} ${path.split('?')[0]}`;
  assert.doesNotMatch(text, /\$argon2|dtr_refresh_|PRIVATE KEY/, request);
  if (!expectedKeys.token?.test(request)) assert.doesNotMatch(text, /dtr_token_/, request);
  for (const key of keysOf(body)) {
    const looksSecret = /pass|hash|secret|session|token|cookie|private|key$/i.test(key);
    assert.ok(!looksSecret || expectedKeys[key]?.test(request), `${request} tells ${key}`);
  }
}

function keysOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Array.isArray(value) ? [] : Object.keys(value);
  return [...own, ...Object.values(value).flatMap(keysOf)];
}
