/** The API as the contract has it. A session that ends in the middle is renewed, and the request sent again. */
import createClient from 'openapi-fetch';
import type { components, paths } from '../../origin/api/contract.d.ts';
import { type Session, sessionStore } from '../session/session-store.ts';
import { ApiError } from './api-error.ts';

export type Schemas = components['schemas'];

export const api = createClient<paths>({ baseUrl: location.origin, credentials: 'same-origin', fetch: send });

const sessionPath = '/api/v0/session';

async function send(request: Request): Promise<Response> {
  // Signing in and asking who is signed in are answered as they are: nobody waits for them.
  if (new URL(request.url).pathname === sessionPath) return fetch(withToken(request));
  const again = request.clone();
  const response = await fetch(withToken(request));
  if (response.status === 401 && sessionStore.current !== undefined) {
    await sessionStore.waitForNext();
    return fetch(withToken(again));
  }
  // Signed in anew in another tab: the cookie is the new one, the token still the old one.
  if (response.status === 403 && isUnsafe(again) && (await renewToken())) return fetch(withToken(again));
  return response;
}

function withToken(request: Request): Request {
  const token = sessionStore.current?.csrfToken;
  if (isUnsafe(request) && token !== undefined) request.headers.set('X-CSRF-Token', token);
  return request;
}

function isUnsafe(request: Request): boolean {
  return request.method !== 'GET' && request.method !== 'HEAD';
}

/** Whether there is another token for the same account. */
async function renewToken(): Promise<boolean> {
  const known = sessionStore.current;
  const response = await fetch(sessionPath, { headers: { Accept: 'application/json' } });
  if (!response.ok || known === undefined) return false;
  const session = (await response.json()) as Session;
  if (session.account.id !== known.account.id) {
    // Somebody else by now: what this page shows is not theirs.
    location.reload();
    return false;
  }
  sessionStore.begin(session);
  return session.csrfToken !== known.csrfToken;
}

interface Answer<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}

export interface Page<T> {
  readonly data: T;
  /** Where the next page begins. */
  readonly next: string | undefined;
  /** How many there are on all pages, if it was asked for. */
  readonly total: number | undefined;
  /** For `If-Match`, where one thing was read. */
  readonly etag: string | undefined;
}

/** What was answered. @throws ApiError */
export async function dataOf<T>(call: Promise<Answer<T>>): Promise<T> {
  return (await pageOf(call)).data;
}

/** What was answered, and where the list goes on. @throws ApiError */
export async function pageOf<T>(call: Promise<Answer<T>>): Promise<Page<T>> {
  const { data, error, response } = await call.catch((cause: unknown) => {
    throw ApiError.unreachable(cause);
  });
  if (!response.ok) throw ApiError.of(response, error);
  const next = response.headers.get('X-Next-Page-Start');
  const total = response.headers.get('X-Resource-Count');
  return {
    data: data as T,
    next: next ?? undefined,
    total: total === null ? undefined : Number(total),
    etag: response.headers.get('ETag') ?? undefined,
  };
}
