/**
 * The management API, typed by the contract: `api.ask('GET /api/v0/accounts/{namespace}', { path: { namespace } })`.
 */
import type { paths } from '../origin/api/contract.d.ts';
import type { Answer, Connection } from './connection.ts';
import { Failure } from './failure.ts';
import { refusal } from './refusal.ts';

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** `GET /api/v0/content_caches` and so on: every operation of the contract. */
export type Operation = {
  [P in keyof paths]: {
    [M in Method]: paths[P][M] extends { responses: unknown } ? `${Uppercase<M>} ${P}` : never;
  }[Method];
}[keyof paths];

type At<O extends Operation> = O extends `${infer M} ${infer P extends keyof paths}`
  ? Lowercase<M> extends infer N extends keyof paths[P]
    ? paths[P][N]
    : never
  : never;

type PathOf<T> = T extends { parameters: { path: infer Path } } ? { path: Path } : unknown;
type QueryOf<T> = T extends { parameters: { query?: infer Query } }
  ? { query?: NonNullable<Query> }
  : unknown;
type BodyOf<T> = T extends { requestBody: { content: { 'application/json': infer Body } } }
  ? { body: Body }
  : T extends { requestBody?: { content: { 'application/json': infer Body } } }
    ? { body?: Body }
    : unknown;
type Input<O extends Operation> = PathOf<At<O>> & QueryOf<At<O>> & BodyOf<At<O>>;

type Success<T> = T extends { responses: infer Responses }
  ? Responses[keyof Responses & (200 | 201 | 202 | 204)]
  : never;
/** The JSON of a successful answer; `undefined` for one without. */
export type Output<O extends Operation> =
  Success<At<O>> extends { content: { 'application/json': infer Body } } ? Body : undefined;

/** What a list's page is a list of: the array itself, or the only member that is one. */
export type Item<T> = T extends readonly (infer One)[]
  ? One
  : { [K in keyof T]: T[K] extends readonly (infer One)[] ? One : never }[keyof T];

type ListOperation = Extract<Operation, `GET ${string}`>;

/** All pages of a list, as if they had been one. */
export interface Listed<T> {
  readonly json: T;
  readonly items: readonly Item<T>[];
}

export interface Credentials {
  readonly user: string;
  /** A password or an access token. */
  readonly secret: string;
}

/** The API gives no more at once. */
const pageSize = 1000;

export class Api {
  /** The origin, `scheme://host[:port]`. */
  readonly origin: string;
  /** The name of who asks. */
  readonly user: string;
  readonly #connection: Connection;
  readonly #authorization: string;

  constructor(options: { origin: string; connection: Connection; credentials: Credentials }) {
    const { user, secret } = options.credentials;
    this.origin = options.origin;
    this.user = user;
    this.#connection = options.connection;
    this.#authorization = `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`;
  }

  /** @throws Failure for every answer but a success */
  async ask<O extends Operation>(operation: O, ...[input]: InputArguments<O>): Promise<Output<O>> {
    const answer = await this.#send(operation, input);
    return (answer.text === '' ? undefined : parseJson(answer, this.origin)) as Output<O>;
  }

  /** Reads page after page, until the last one or `limit`. @throws Failure for every answer but a success */
  async list<O extends ListOperation>(operation: O, ...given: ListArguments<O>): Promise<Listed<Output<O>>> {
    const [input, limit = Number.POSITIVE_INFINITY] = given as [UntypedInput?, number?];
    const items: Item<Output<O>>[] = [];
    let json: unknown;
    let pageStart: string | undefined;
    do {
      const query = {
        ...input?.query,
        pageSize: Math.min(pageSize, limit - items.length),
        ...(pageStart === undefined ? {} : { pageStart }),
      };
      const answer = await this.#send(operation, { ...input, query });
      json = parseJson(answer, this.origin);
      items.push(...arrayOf<Item<Output<O>>>(json));
      const next = answer.headers['x-next-page-start'];
      pageStart = typeof next === 'string' && next !== '' ? next : undefined;
    } while (pageStart !== undefined && items.length < limit);
    return { json: withArray(json, items) as Output<O>, items };
  }

  close(): void {
    this.#connection.close();
  }

  async #send(operation: Operation, input: unknown): Promise<Answer> {
    const { path = {}, query = {}, body } = (input ?? {}) as UntypedInput;
    const [method, template] = operation.split(' ') as [string, string];
    const filled = template.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(path[name] as string),
    );
    const search = new URLSearchParams(
      Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
    ).toString();
    const answer = await this.#connection.send({
      method,
      path: search === '' ? filled : `${filled}?${search}`,
      headers: {
        Accept: 'application/json',
        Authorization: this.#authorization,
        'User-Agent': `dtr (${process.platform} ${process.arch})`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw refusal(answer, this);
  }
}

/** The input may be left out when nothing of it is required. */
type InputArguments<O extends Operation> =
  Record<never, never> extends Input<O> ? [input?: Input<O>] : [input: Input<O>];
type ListArguments<O extends Operation> =
  Record<never, never> extends Input<O>
    ? [input?: Input<O>, limit?: number]
    : [input: Input<O>, limit?: number];

interface UntypedInput {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: unknown;
}

/** The members that are given: an option that was not typed is not sent. */
export function given<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function parseJson({ text, headers }: Answer, origin: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const type = headers['content-type'] ?? 'nothing';
    throw new Failure('failed', `${origin} answered with ${type}, not with JSON`, 'is it a DTR?', cause);
  }
}

function arrayMember(json: unknown): string | undefined {
  return Object.entries(json as object).find(([, value]) => Array.isArray(value))?.[0];
}

function arrayOf<T>(json: unknown): T[] {
  if (Array.isArray(json)) return json as T[];
  const member = arrayMember(json);
  return member === undefined ? [] : ((json as Record<string, T[]>)[member] as T[]);
}

function withArray(json: unknown, items: readonly unknown[]): unknown {
  if (Array.isArray(json)) return items;
  const member = arrayMember(json);
  return member === undefined ? json : { ...(json as object), [member]: items };
}
