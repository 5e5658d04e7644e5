/** `/api/v0/content_cache_choice`: why a pull would go where. */
import { type Request, type Response, Router } from 'express';
import { canonicalAddress } from '../../shared/cidr.ts';
import { DomainError } from '../../shared/errors.ts';
import { getUser } from '../accounts/accounts.ts';
import { explainStep } from '../content-caches/choice-words.ts';
import type { Choice, ChoiceStep } from '../content-caches/choose.ts';
import type { ContentCache } from '../content-caches/content-caches.ts';
import type { Redirector } from '../content-caches/redirect.ts';
import type { Database } from '../database.ts';
import { requestRecord } from '../request-log.ts';
import { callerOf, notAuthorized } from './caller.ts';
import type { components, operations } from './contract.d.ts';
import { getRepositoryDetailsFor } from './repository.ts';

type Explanation = components['schemas']['ContentCacheExplanation'];
type Query = operations['ExplainContentCacheChoice']['parameters']['query'];

const path = '/api/v0/content_cache_choice';

/** Admins ask for everybody, anybody for themselves. */
export function createContentCacheChoiceGuards(): Router {
  const guards = Router({ caseSensitive: true, strict: true });
  guards.get(path, (request, response, next) => {
    const { isAdmin, name } = callerOf(response);
    const { username = name } = request.query;
    if (!isAdmin && username !== name) throw notAuthorized();
    next();
  });
  return guards;
}

export function createContentCacheChoiceRoutes(options: {
  database: Database;
  redirector: Pick<Redirector, 'preview'>;
}): Router {
  const { database, redirector } = options;
  const { queries } = database;
  const routes = Router({ caseSensitive: true, strict: true });
  routes.get(path, async (request, response) => {
    const query = request.query as unknown as Query;
    const caller = callerOf(response);
    const { username = caller.name } = query;
    const client = addressOf(request, response);
    if (username !== '') await getUser(queries, username);
    const [namespace = '', reponame = ''] = splitName(query.repository);
    const repository = await getRepositoryDetailsFor(queries, caller, 'read-only', { namespace, reponame });
    const choice = await redirector.preview(
      { user: username, client },
      { name: repository.name, redirects: repository.redirect },
    );
    response.json({
      username,
      ...(client === undefined ? {} : { address: client }),
      repository: repository.name,
      ...toExplanation(choice),
    } satisfies Explanation);
  });
  return routes;
}

/** @throws DomainError `input-invalid` */
function addressOf({ query }: Request, response: Response): string | undefined {
  if (query.address === undefined) return requestRecord(response).client;
  const address = canonicalAddress(String(query.address));
  if (address !== undefined) return address;
  throw new DomainError('input-invalid', 'address: an address of IPv4 or IPv6 expected', {
    detail: { field: 'address' },
  });
}

function splitName(name: string): string[] {
  const slash = name.indexOf('/');
  return slash < 0 ? [name] : [name.slice(0, slash), name.slice(slash + 1)];
}

function toExplanation({
  cache,
  because,
  steps,
}: Choice): Pick<Explanation, 'contentCache' | 'because' | 'steps'> {
  return {
    ...(cache === undefined ? {} : { contentCache: toReference(cache) }),
    because,
    steps: steps.map(toStep),
  };
}

function toStep(step: ChoiceStep): Explanation['steps'][number] {
  const { decider, of, says, skipped } = step;
  return {
    decider,
    ...(of === undefined ? {} : { of }),
    ...(typeof says === 'string' ? { says } : { says: 'cache', contentCache: toReference(says) }),
    ...(skipped === undefined ? {} : { skipped }),
    explanation: explainStep(step),
  };
}

function toReference({ id, name, host }: ContentCache): components['schemas']['ContentCacheReference'] {
  return { id, name, host };
}
