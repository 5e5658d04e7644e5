/**
 * `/enzi/v0/accounts…`: where the original had accounts, organizations and teams. Aliases of `/api/v0/accounts…`, with the same
 * bodies. The paging has other names there, and paths take ids in place of names.
 */
import type { RequestHandler } from 'express';
import { findAccount, findAccountById } from '../accounts/accounts.ts';
import { findTeamName } from '../accounts/teams.ts';
import type { Database, Queryable } from '../database.ts';

const alias = /^\/enzi\/v0(?=\/accounts(?:[/?]|$))/;
const parameters = new Map([
  ['start', 'pageStart'],
  ['limit', 'pageSize'],
]);

/** Makes it a request to `/api/v0`. */
export const enziAliases: RequestHandler = (request, response, next) => {
  if (!alias.test(request.url)) return next();
  const [path, query] = request.url.replace(alias, '/api/v0').split(/\?(.*)/s) as [string, string?];
  request.url = query === undefined ? path : `${path}?${rename(query)}`;
  response.locals.isEnzi = true;
  next();
};

function rename(query: string): string {
  return query
    .split('&')
    .map((pair) => pair.replace(/^[^=]*/, (name) => parameters.get(name) ?? name))
    .join('&');
}

/** Puts names where a path has ids, so that what follows need not know of them. What is a name already stays one. */
export function enziNames(database: Database): RequestHandler {
  return async (request, response, next) => {
    if (response.locals.isEnzi !== true) return next();
    const [path, query] = request.url.split(/(?=\?)/s) as [string, string?];
    request.url = `${await namesFor(database.queries, path)}${query ?? ''}`;
    next();
  };
}

/** For `/accounts/{name}/members/{name}`, `/accounts/{name}/teams/{name}/members/{name}`, and what begins so. */
async function namesFor(queries: Queryable, path: string): Promise<string> {
  const segments = path.split('/');
  const replace = async (index: number, findName: (id: string) => Promise<string | undefined>) => {
    const text = segments[index];
    if (text !== undefined && isId(text)) segments[index] = (await findName(text)) ?? text;
  };
  const findAccountName = async (id: string) =>
    ((await findAccount(queries, id)) ?? (await findAccountById(queries, id)))?.name;
  await replace(2, findAccountName);
  if (segments[3] === 'members') await replace(4, findAccountName);
  if (segments[3] === 'teams') {
    await replace(4, (id) => findTeamName(queries, segments[2] as string, id));
    await replace(6, findAccountName);
  }
  return segments.join('/');
}

function isId(text: string): boolean {
  return /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(text);
}
