/** What decides about the cache of a pull, as it stands in the database: asked for every pull, so by prepared questions. */
import type { Database, PreparedRow, PreparedRows, Query } from '../database.ts';
import type { ChoiceFacts, Preference } from './choose.ts';
import { type ContentCache, defaultCacheKey } from './content-caches.ts';
import { NetworkRuleFinder } from './network-rules.ts';

export interface Puller {
  /** The account's name, empty for an anonymous pull. */
  readonly user: string;
  /** The client's address, canonical; `undefined` when it is not known. */
  readonly client: string | undefined;
}

interface CacheRow {
  readonly id: string | null;
  readonly name: string;
  readonly host: string;
  readonly caPem: string | null;
  readonly isEnabled: boolean | number;
}

interface PreferenceRow extends CacheRow {
  readonly choice: string;
}

type PullerFacts = Pick<ChoiceFacts, 'setting' | 'rule' | 'organizations' | 'systemDefault'>;

/** Users at addresses. */
const maximumRemembered = 10_000;

export class ChoiceFactsFinder {
  readonly #remember: (key: string, ask: () => Promise<PullerFacts>) => Promise<PullerFacts>;
  readonly #rules: NetworkRuleFinder;
  readonly #findSetting: PreparedRow<PreferenceRow>;
  readonly #listOrganizations: PreparedRows<PreferenceRow & { readonly organization: string }>;
  readonly #findDefault: PreparedRow<{ readonly value: string }>;
  readonly #findCache: PreparedRow<CacheRow>;

  constructor(database: Database) {
    this.#remember = database.remember(maximumRemembered);
    this.#rules = new NetworkRuleFinder(database);
    this.#findSetting = database.prepare((queries) =>
      selectPreference(queries('accounts')).where('accounts.name', ':1'),
    );
    this.#listOrganizations = database.prepareRows((queries) =>
      selectPreference(
        queries('accounts as users')
          .join('organization_members', 'organization_members.user_id', 'users.id')
          .join('accounts', 'accounts.id', 'organization_members.organization_id'),
      )
        .where('users.name', ':1')
        .select('accounts.name as organization')
        .orderBy('accounts.name'),
    );
    this.#findDefault = database.prepare((queries) =>
      queries('system_settings').where('system_settings.key', ':1').select('system_settings.value'),
    );
    this.#findCache = database.prepare((queries) =>
      queries('content_caches').where('content_caches.id', ':1').select(cacheColumns),
    );
  }

  /** What others say about pulls of the user from the address, whatever they pull. */
  find({ user, client }: Puller): Promise<PullerFacts> {
    // No name of a user holds a space.
    return this.#remember(`${user} ${client}`, async () => ({
      setting: user === '' ? 'automatic' : toPreference(await this.#findSetting(user)),
      rule: client === undefined ? undefined : await this.#findRule(client),
      organizations: user === '' ? [] : await this.#findOrganizations(user),
      systemDefault: await this.#findSystemDefault(),
    }));
  }

  async #findRule(client: string): Promise<ChoiceFacts['rule']> {
    const rule = await this.#rules.find(client);
    if (rule === undefined) return undefined;
    const { network, contentCacheId } = rule;
    if (contentCacheId === undefined) return { network, cache: 'none' };
    const cache = toContentCache(await this.#findCache(contentCacheId));
    return cache && { network, cache };
  }

  async #findOrganizations(user: string): Promise<ChoiceFacts['organizations']> {
    const rows = await this.#listOrganizations(user);
    return rows.map((row) => ({ name: row.organization, cache: toPreference(row) }));
  }

  async #findSystemDefault(): Promise<ContentCache | undefined> {
    const row = await this.#findDefault(defaultCacheKey);
    const id: unknown = row && JSON.parse(row.value);
    return typeof id === 'string' ? toContentCache(await this.#findCache(id)) : undefined;
  }
}

const cacheColumns = {
  id: 'content_caches.id',
  name: 'content_caches.name',
  host: 'content_caches.host',
  caPem: 'content_caches.ca_pem',
  isEnabled: 'content_caches.is_enabled',
};

/** Of accounts, with or without a setting, whose cache is there or not. */
function selectPreference(accounts: Query): Query {
  return accounts
    .join('account_settings', 'account_settings.account_id', 'accounts.id')
    .leftJoin('content_caches', 'content_caches.id', 'account_settings.content_cache_id')
    .select({ ...cacheColumns, choice: 'account_settings.content_cache_choice' });
}

/** Who never chose, or chose a cache that was deleted, leaves it to others. */
function toPreference(row: PreferenceRow | undefined): Preference {
  if (row?.choice === 'none') return 'none';
  return (row?.choice === 'cache' ? toContentCache(row) : undefined) ?? 'automatic';
}

function toContentCache(row: CacheRow | undefined): ContentCache | undefined {
  if (row === undefined || row.id === null) return undefined;
  const { id, name, host, caPem, isEnabled } = row;
  return { id, name, host, caPem: caPem ?? undefined, isEnabled: Boolean(isEnabled) };
}
