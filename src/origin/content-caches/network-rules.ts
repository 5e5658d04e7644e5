/** Network rules: which cache serves the clients of which network, when their users leave it to others. */
import { randomUUID } from 'node:crypto';
import { formatNetwork, parseNetwork } from '../../shared/cidr.ts';
import { DomainError } from '../../shared/errors.ts';
import type { Database, Queryable, Transaction } from '../database.ts';
import { cutPage, type Page, type PageOf } from '../paging.ts';
import { findContentCache } from './content-caches.ts';
import { type IndexedRule, NetworkRuleIndex } from './network-rule-index.ts';
import { prepareFindRevision, revise } from './revisions.ts';

export interface NetworkRule extends IndexedRule {
  readonly id: string;
  readonly comment: string;
}

/** What an admin gives. `contentCacheId` is `undefined` for the origin itself. */
export type NetworkRuleInput = Omit<NetworkRule, 'id'>;

interface NetworkRuleRow {
  readonly id: string;
  readonly network: string;
  readonly content_cache_id: string | null;
  readonly comment: string;
}

const maximumCommentLength = 255;

/** @throws DomainError `input-invalid`, `network-rule-taken` */
export async function createNetworkRule(
  tx: Transaction,
  input: NetworkRuleInput,
  now: number,
): Promise<NetworkRule> {
  const row = { id: randomUUID(), ...(await rowOf(tx, input)) };
  const inserted = await tx('network_rules')
    .insert({ ...row, created_at: now })
    .onConflict('network')
    .ignore()
    .returning('id');
  if (inserted.length === 0) throw taken(row.network);
  await revise(tx, 'network-rules');
  return toNetworkRule(row);
}

/** What is left out stays as it is. @throws DomainError `network-rule-unknown`, `input-invalid`, `network-rule-taken` */
export async function changeNetworkRule(
  tx: Transaction,
  id: string,
  changes: Partial<NetworkRuleInput>,
): Promise<NetworkRule> {
  const changed = await rowOf(tx, { ...(await getNetworkRule(tx, id)), ...changes });
  const other = await tx('network_rules')
    .where('network_rules.network', changed.network)
    .whereNot('network_rules.id', id)
    .select('network_rules.id')
    .first();
  if (other !== undefined) throw taken(changed.network);
  await tx('network_rules').where('network_rules.id', id).update(changed);
  await revise(tx, 'network-rules');
  return toNetworkRule({ id, ...changed });
}

/** Deleting what is not there is no error. */
export async function deleteNetworkRule(tx: Transaction, id: string): Promise<void> {
  await tx('network_rules').where('network_rules.id', id).delete();
  await revise(tx, 'network-rules');
}

/** @throws DomainError `network-rule-unknown` */
export async function getNetworkRule(queries: Queryable, id: string): Promise<NetworkRule> {
  const rule = await findNetworkRule(queries, id);
  if (rule !== undefined) return rule;
  throw new DomainError('network-rule-unknown', 'A network rule with the given uuid does not exist.');
}

export async function findNetworkRule(queries: Queryable, id: string): Promise<NetworkRule | undefined> {
  const row = await queries<NetworkRuleRow>('network_rules').where('network_rules.id', id).first();
  return row === undefined ? undefined : toNetworkRule(row);
}

/** By their networks as text; those that lead to one cache, or all. */
export async function listNetworkRules(
  queries: Queryable,
  contentCacheId: string | undefined,
  page: Page,
): Promise<PageOf<NetworkRule>> {
  const query = rulesTo(queries, contentCacheId)
    .orderBy('network_rules.network')
    .limit(page.size + 1);
  if (page.start !== undefined) query.where('network_rules.network', '>=', page.start);
  const rows: NetworkRuleRow[] = await query;
  return cutPage(rows.map(toNetworkRule), page.size, ({ network }) => network);
}

export async function countNetworkRules(
  queries: Queryable,
  contentCacheId: string | undefined,
): Promise<number> {
  const [row] = await rulesTo(queries, contentCacheId).count({ total: '*' });
  return Number(row?.total ?? 0);
}

function rulesTo(queries: Queryable, contentCacheId: string | undefined) {
  const rules = queries('network_rules');
  return contentCacheId === undefined ? rules : rules.where('network_rules.content_cache_id', contentCacheId);
}

/**
 * Finds the rule for an address, in memory. The rules are read again when they have changed, by this process or another.
 */
export class NetworkRuleFinder {
  readonly #database: Database;
  readonly #findRevision: () => Promise<number>;
  #index = new NetworkRuleIndex([]);
  #revision: number | undefined;
  #reading: Promise<void> | undefined;

  constructor(database: Database) {
    this.#database = database;
    this.#findRevision = prepareFindRevision(database, 'network-rules');
  }

  async find(address: string): Promise<IndexedRule | undefined> {
    const revision = await this.#findRevision();
    // Not one reading for each of those who find the rules changed.
    while (this.#revision === undefined || this.#revision < revision) {
      this.#reading ??= this.#read(revision).finally(() => {
        this.#reading = undefined;
      });
      await this.#reading;
    }
    return this.#index.find(address);
  }

  /** Everything that `revision` names is in the rows: it was read before them. */
  async #read(revision: number): Promise<void> {
    const rows: NetworkRuleRow[] = await this.#database
      .queries<NetworkRuleRow>('network_rules')
      .select('network_rules.id', 'network_rules.network', 'network_rules.content_cache_id');
    this.#index = new NetworkRuleIndex(rows.map(toNetworkRule));
    this.#revision = revision;
  }
}

/** @throws DomainError `input-invalid` */
async function rowOf(tx: Transaction, input: NetworkRuleInput): Promise<Omit<NetworkRuleRow, 'id'>> {
  const network = parseNetwork(input.network);
  if (network === undefined) {
    throw new DomainError(
      'input-invalid',
      'network: a network such as 10.20.0.0/16 or 2001:db8::/32, or an address, expected',
      { detail: { field: 'network', value: input.network } },
    );
  }
  const { contentCacheId, comment } = input;
  if (contentCacheId !== undefined && (await findContentCache(tx, contentCacheId)) === undefined) {
    throw new DomainError('input-invalid', 'contentCacheUUID: there is no content cache with this id', {
      detail: { field: 'contentCacheUUID', value: contentCacheId },
    });
  }
  if (comment.length > maximumCommentLength) {
    throw new DomainError('input-invalid', `comment: at most ${maximumCommentLength} characters expected`, {
      detail: { field: 'comment' },
    });
  }
  return { network: formatNetwork(network), content_cache_id: contentCacheId ?? null, comment };
}

function toNetworkRule(row: NetworkRuleRow): NetworkRule {
  const { id, network, content_cache_id, comment } = row;
  return { id, network, contentCacheId: content_cache_id ?? undefined, comment };
}

function taken(network: string): DomainError {
  return new DomainError('network-rule-taken', `there is already a rule for ${network}`, {
    detail: { field: 'network', value: network },
  });
}
