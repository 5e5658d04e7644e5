/** `/api/v0/index`: finding accounts and repositories. */
import { Router } from 'express';
import { listVisibleRepositories } from '../access/visible-repositories.ts';
import { listAccounts } from '../accounts/accounts.ts';
import type { Database } from '../database.ts';
import { listRepositorySummaries } from '../images/repository-details.ts';
import { toAccount } from './account.ts';
import { callerOf } from './caller.ts';
import { toRepository } from './repository.ts';

const maximumResults = 100;
/** As many as `docker search` asks for. */
const searchResults = 25;

export function createIndexRoutes({ database: { queries } }: { database: Database }): Router {
  const routes = Router({ caseSensitive: true, strict: true });

  routes.get('/api/v0/index/autocomplete', async (request, response) => {
    const { query: prefix = '', namespace, ...asked } = request.query as unknown as AutocompleteQuery;
    const page = { start: undefined, size: Math.min(asked.limit, maximumResults) };
    const answer: { accountResults?: object[]; repositoryResults?: object[] } = {};
    if (asked.includeAccounts) {
      const { records } = await listAccounts(queries, { filter: 'all', prefix }, page);
      answer.accountResults = records.map(toAccount);
    }
    if (asked.includeRepositories) {
      const filter = { prefix: namespace === undefined ? prefix : `${namespace}/${prefix}` };
      const { records } = await listVisibleRepositories(queries, callerOf(response), filter, page);
      const summaries = await listRepositorySummaries(
        queries,
        records.map(({ id }) => id),
      );
      answer.repositoryResults = summaries.map(toRepository);
    }
    response.json(answer);
  });

  routes.get('/api/v0/index/dockersearch', async (request, response) => {
    const { q = '' } = request.query as { q?: string };
    const page = { start: undefined, size: searchResults };
    const { records } = await listVisibleRepositories(queries, callerOf(response), { text: q }, page);
    const summaries = await listRepositorySummaries(
      queries,
      records.map(({ id }) => id),
    );
    response.json({
      query: q,
      num_results: summaries.length,
      results: summaries.map(({ name, shortDescription }) => ({
        name,
        description: shortDescription,
        star_count: 0,
        is_official: false,
        is_automated: false,
        is_trusted: false,
      })),
    });
  });

  return routes;
}

/** The check by the contract has made numbers and booleans of the texts, and filled in what was left out. */
interface AutocompleteQuery {
  readonly query?: string;
  readonly namespace?: string;
  readonly includeAccounts: boolean;
  readonly includeRepositories: boolean;
  readonly limit: number;
}
