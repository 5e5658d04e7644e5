/** A large company in the database of an origin: making it by requests would take hours. */
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { systemClock } from '../src/shared/clock.ts';
import {
  blobOfLargest,
  blobsOfAll,
  digestOf,
  hashOf,
  idOf,
  imageOfLargest,
  largeOrganizationOf,
  largestOf,
  organizationName,
  repositoryName,
  type Sizes,
  tagsOfRepository,
  teamOf,
  teamOfAll,
  teamsOfOrganization,
  userName,
} from './lists-company.ts';

/**
 * `user-00000` is in a team of each of a hundred organizations and owns ten; `user-00001` is in one team, which has access to every
 * repository of the largest organization one by one; `user-00002` has access to 10,000 repositories; the others are in two teams each.
 * All are in one more, and in the largest organization; a quarter chose the same cache. A tenth of the repositories is public.
 */
export function seedCompany(sizes: Sizes, data: string, cacheUrl: string): void {
  const database = new BetterSqlite3(join(data, 'dtr.db'));
  try {
    const company: Company = { sizes, insert: inserting(database), now: systemClock() };
    const password = database.prepare('SELECT password_hash FROM accounts WHERE is_admin = 1').pluck().get();
    database.transaction(() => {
      seedCaches(company, cacheUrl);
      seedUsers(company, password);
      seedOrganizations(company);
      seedRepositories(company);
      seedLargest(company);
      seedEvents(company);
      database.exec('DELETE FROM event_counts');
      for (const actor of ["''", 'actor_id']) {
        database.exec(`INSERT INTO event_counts (actor_id, day, type, refused, events)
          SELECT ${actor}, published_at / 86400000, type, refused, count(*) FROM events GROUP BY 1, 2, 3, 4`);
      }
    })();
    // Else whoever asks first would do it.
    database.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    database.close();
  }
}

interface Company {
  readonly sizes: Sizes;
  /** All rows of a table have the same columns. */
  readonly insert: (table: string, row: Readonly<Record<string, unknown>>) => void;
  readonly now: number;
}

function inserting(database: BetterSqlite3.Database): Company['insert'] {
  const statements = new Map<string, BetterSqlite3.Statement>();
  return (table, row) => {
    const columns = Object.keys(row);
    const statement =
      statements.get(table) ??
      database.prepare(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (@${columns.join(', @')})`);
    statements.set(table, statement);
    statement.run(row);
  };
}

/** Caches, the rules that lead to them, and what they were told to do. */
function seedCaches({ sizes, insert, now }: Company, cacheUrl: string): void {
  const cacheAt = (n: number) => idOf(`cache ${n % sizes.caches}`);
  for (let n = 0; n < sizes.caches; n += 1) {
    const name = `office ${n}`;
    insert('content_caches', { id: cacheAt(n), name, name_key: name, host: cacheUrl, created_at: now });
  }
  for (let n = 0; n < sizes.rules; n += 1) {
    const network = `10.${n >> 8}.${n & 255}.0/24`;
    const row = { id: idOf(`rule ${n}`), network, content_cache_id: cacheAt(n), comment: '' };
    insert('network_rules', { ...row, created_at: now });
  }
  for (let n = 0; n < sizes.jobs; n += 1) {
    const times = { created_at: now - n, updated_at: now, deadline_at: now + 1, lease_until: 0 };
    const parameters = JSON.stringify({ contentCaches: [cacheAt(n)], everything: true });
    const job = { action: 'content-cache-purge', parameters, status: 'done', created_by: 'admin' };
    insert('jobs', { id: idOf(`job ${n}`), ...job, ...times });
  }
  for (let n = 0; n < sizes.caches; n += 1) {
    const target = { job_id: idOf('job 0'), content_cache_id: cacheAt(n), name: `office ${n}` };
    insert('job_targets', { ...target, status: 'done', done_blobs: 1, done_bytes: 1, message: '' });
  }
  for (let n = 0; n < sizes.prefetchRules; n += 1) {
    const images = { repository: `${organizationName(n)}/*`, tag: 'v*', platforms: '[]' };
    const rule = { content_caches: JSON.stringify([cacheAt(n)]), is_enabled: 1, created_by: 'admin' };
    // Later than all pushes: it starts nothing.
    const times = { created_at: now + n, since_event: sizes.events };
    insert('prefetch_rules', { id: idOf(`prefetch ${n}`), ...images, ...rule, ...times });
  }
}

function seedUsers({ sizes, insert, now }: Company, password: unknown): void {
  for (let n = 0; n < sizes.users; n += 1) {
    const [id, name] = [idOf(userName(n)), userName(n)];
    const user = { id, name, full_name: `User ${n}`, is_org: 0, is_admin: 0, is_active: 1 };
    insert('accounts', { ...user, password_hash: password, created_at: now });
    if (n % 4 === 3) continue;
    const chosen = idOf(`cache ${n % 2 === 0 ? n % sizes.caches : 1}`);
    const setting = { account_id: id, account_name: name, content_cache_id: chosen };
    insert('account_settings', { ...setting, content_cache_choice: 'cache' });
  }
  for (let n = 0; n < sizes.users * 2 + sizes.tokens; n += 1) {
    const owner = userName(n < sizes.users * 2 ? n % sizes.users : 0);
    const token = { token_hash: hashOf(`token ${n}`), account_id: idOf(owner), label: `laptop ${n}` };
    const creation = { generated_by: owner, creator_user_agent: 'bench', created_at: now - n };
    insert('access_tokens', { ...token, access: 'read-only', is_active: 1, ...creation });
  }
}

/** Organizations, their teams, and who is in them. */
function seedOrganizations({ sizes, insert, now }: Company): void {
  const enter = (organization: string, n: number, isOwner = false) => {
    const user = { user_id: idOf(userName(n)), user_name: userName(n), created_at: now };
    insert('organization_members', {
      organization_id: idOf(organization),
      is_admin: isOwner ? 1 : 0,
      ...user,
    });
  };
  const enterTeam = (organization: string, team: number, n: number) => {
    const user = { user_id: idOf(userName(n)), user_name: userName(n), created_at: now };
    insert('team_members', { team_id: teamOf(organization, team), ...user });
  };
  for (let n = 0; n < sizes.organizations; n += 1) {
    const name = organizationName(n);
    const id = idOf(name);
    const account = { id, name, full_name: `Organization ${n}`, is_org: 1, is_admin: 0, is_active: 1 };
    insert('accounts', { ...account, password_hash: null, created_at: now });
    for (let t = 0; t < teamsOfOrganization; t += 1) {
      const team = { id: teamOf(name, t), organization_id: id, name: `team-${t}`, description: '' };
      insert('teams', { ...team, created_at: now });
    }
    insert('team_namespace_access', { team_id: teamOf(name, 9), access_level: 'read-only' });
    if (n < Math.min(100, sizes.organizations - 1)) {
      enter(name, 0, n < 10);
      enterTeam(name, n % 10, 0);
    }
  }
  const largest = largeOrganizationOf(sizes);
  enterTeam(largest, 0, 1);
  for (let n = 0; n < sizes.users; n += 1) {
    enter(largest, n);
    enterTeam(largest, teamOfAll, n);
    if (n < 3) continue;
    for (const at of [n, n + 1]) {
      const organization = organizationName(at % (sizes.organizations - 1));
      enter(organization, n);
      enterTeam(organization, n % 10, n);
    }
  }
}

/** With their images, tags, and the access that is given to them. */
function seedRepositories(company: Company): void {
  const { sizes, insert, now } = company;
  for (let n = 0; n < sizes.repositories; n += 1) {
    const name = repositoryName(sizes, n);
    const organization = name.slice(0, name.indexOf('/'));
    const description = `What service ${n} does`;
    const listed = {
      namespace_id: idOf(organization),
      visibility: n % 10 === 0 ? 'public' : 'private',
      search_text: `${name}\n${description}`.toLowerCase(),
    };
    const id = idOf(name);
    insert('repositories', { id, name, short_description: description, created_at: now, ...listed });
    const granted = { repository_id: id, repository_name: name, ...listed };
    const giveTeam = (team: number, level: string) =>
      insert('team_repository_access', {
        team_id: teamOf(organization, team),
        access_level: level,
        ...granted,
      });
    const giveUser = (user: number) => {
      const who = { user_id: idOf(userName(user)), user_name: userName(user) };
      insert('user_repository_access', { ...who, access_level: 'read-only', ...granted });
    };
    if (organization === largeOrganizationOf(sizes)) giveTeam(0, 'read-only');
    else if (n % 4 === 0) giveTeam((n / 4) % 9, 'read-write');
    if (n < sizes.grants) giveUser(2);
    if (name === largestOf(sizes)) {
      for (let user = 3; user < sizes.grants; user += 1) giveUser(user);
    } else {
      const digest = digestOf(name);
      insertImage(company, id, digest, n);
      for (let t = 0; t < tagsOfRepository; t += 1) insertTag(company, id, `v1.${t}`, digest);
    }
  }
}

/** What is in the repository of very many tags. */
function seedLargest(company: Company): void {
  const { sizes, insert, now } = company;
  const id = idOf(largestOf(sizes));
  const times = { created_at: now, last_used_at: now };
  for (let n = 0; n < blobsOfAll; n += 1) {
    insert('blobs', { digest: blobOfLargest(n), size_bytes: 1_000_000, ...times });
    insert('repository_blobs', { repository_id: id, digest: blobOfLargest(n), ...times });
  }
  for (let n = 0; n < sizes.imagesOfLargest; n += 1) {
    // Half of them refer to the first.
    insertImage(company, id, imageOfLargest(n), n, n % 2 === 1 ? imageOfLargest(0) : null);
  }
  for (let n = 0; n < sizes.tagsOfLargest; n += 1) {
    insertTag(company, id, `v${String(n).padStart(6, '0')}`, imageOfLargest(n % sizes.imagesOfLargest));
  }
}

function insertImage(
  { sizes, insert, now }: Company,
  repositoryId: string,
  digest: string,
  n: number,
  subject: string | null = null,
): void {
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const [config, ...layers] = [0, 1, 2].map((layer) => ({
    mediaType: `application/vnd.oci.image.${layer === 0 ? 'config.v1+json' : 'layer.v1.tar+gzip'}`,
    digest: blobOfLargest((n * 3 + layer) % blobsOfAll),
    size: 1,
  }));
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers, n }));
  const manifest = { repository_id: repositoryId, digest, media_type: mediaType, bytes };
  const origin = { pushed_by: userName(n % sizes.users), created_at: now, last_used_at: now };
  insert('manifests', { ...manifest, ...origin, subject_digest: subject });
  for (const blob of [config, ...layers]) {
    const reference = { repository_id: repositoryId, manifest_digest: digest, digest: blob?.digest };
    insert('manifest_references', { ...reference, kind: 'blob' });
  }
}

function insertTag({ insert, now }: Company, repositoryId: string, name: string, digest: string): void {
  insert('tags', { repository_id: repositoryId, name, digest, created_at: now, updated_at: now });
}

/** Over a quarter of a year. A robot does a quarter of everything. */
function seedEvents({ sizes, insert, now }: Company): void {
  for (let n = 0; n < sizes.events; n += 1) {
    const who = userName(n % 4 === 0 ? 3 : n % sizes.users);
    const tag = `${repositoryName(sizes, n % sizes.repositories)}:v1`;
    const what =
      n % 3 === 0
        ? { type: 'LOGIN', object_type: 'user', object_id: idOf(who), object_name: who }
        : { type: 'PUSH', object_type: 'tag', object_id: 'id', object_name: tag };
    insert('events', {
      published_at: now - n * Math.floor((90 * 86_400_000) / sizes.events),
      actor_id: idOf(who),
      actor_name: who,
      ...what,
      door: 'registry',
      client: '203.0.113.7',
      refused: n % 50 === 0 ? 1 : 0,
    });
  }
}
