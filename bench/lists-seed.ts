/** A large company in the database of an origin: making it by requests would take hours. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { systemClock } from '../src/shared/clock.ts';

export interface Sizes {
  readonly caches: number;
  readonly users: number;
  readonly organizations: number;
  /** Of each organization but the last, which has what is left of all repositories. */
  readonly repositoriesOfOrganization: number;
  readonly repositories: number;
  /** In one repository. */
  readonly tagsOfLargest: number;
  readonly imagesOfLargest: number;
  /** Given to users of one repository, and to one user. */
  readonly grants: number;
  /** Of one user; every other one has two. */
  readonly tokens: number;
  readonly rules: number;
  /** The newest one at every cache. */
  readonly jobs: number;
  readonly prefetchRules: number;
  readonly events: number;
}

/** 1,000,000 tags: nine in each repository, and 100,000 in one. */
export const largeSizes: Sizes = {
  caches: 10_000,
  users: 10_000,
  organizations: 1_000,
  repositoriesOfOrganization: 80,
  repositories: 100_000,
  tagsOfLargest: 100_000,
  imagesOfLargest: 10_000,
  grants: 10_000,
  tokens: 1_000,
  rules: 10_000,
  jobs: 10_000,
  prefetchRules: 1_000,
  events: 1_000_000,
};

export const smallSizes: Sizes = {
  caches: 10,
  users: 100,
  organizations: 10,
  repositoriesOfOrganization: 8,
  repositories: 100,
  tagsOfLargest: 100,
  imagesOfLargest: 10,
  grants: 100,
  tokens: 10,
  rules: 10,
  jobs: 10,
  prefetchRules: 10,
  events: 100,
};

const teamsOfOrganization = 10;
const tagsOfRepository = 9;
/** Of the largest organization; it has access to nothing. */
export const teamOfAll = 5;

export const organizationName = (n: number) => `org-${String(n).padStart(4, '0')}`;
export const shortName = (n: number) => `service-${String(n).padStart(6, '0')}`;
export const userName = (n: number) => `user-${String(n).padStart(5, '0')}`;
export const largeOrganizationOf = ({ organizations }: Sizes) => organizationName(organizations - 1);
export const repositoryName = (sizes: Sizes, n: number) =>
  `${organizationName(Math.min(Math.floor(n / sizes.repositoriesOfOrganization), sizes.organizations - 1))}/${shortName(n)}`;
export const largestOf = (sizes: Sizes) => repositoryName(sizes, sizes.repositories - 1);
/** Ids are as random as those that the origin makes. */
export function idOf(text: string): string {
  const hex = hashOf(text);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
const digestOf = (text: string) => `sha256:${hashOf(text)}`;
export const blobOfLargest = (n: number) => digestOf(`blob ${n}`);
export const imageOfLargest = (n: number) => digestOf(`large ${n}`);

/**
 * `user-00000` is in a team of each of a hundred organizations and owns ten; `user-00001` is in one team, which has access to every
 * repository of the largest organization one by one; `user-00002` has access to 10,000 repositories; the others are in two teams each.
 * All are in one more, and in the largest organization; a quarter chose the same cache. A tenth of the repositories is public.
 */
export function seedCompany(sizes: Sizes, data: string, cacheUrl: string): void {
  const { organizations } = sizes;
  const [largest, largeOrganization] = [largestOf(sizes), largeOrganizationOf(sizes)];
  const database = new BetterSqlite3(join(data, 'dtr.db'));
  try {
    const now = systemClock();
    const insert = (table: string, columns: string) => {
      const marks = columns.split(', ').map(() => '?');
      const statement = database.prepare(`INSERT INTO ${table} (${columns}) VALUES (${marks.join(', ')})`);
      return (...values: unknown[]) => statement.run(...values);
    };
    const cache = insert('content_caches', 'id, name, name_key, host, created_at');
    const account = insert(
      'accounts',
      'id, name, full_name, is_org, is_admin, is_active, password_hash, created_at',
    );
    const setting = insert(
      'account_settings',
      'account_id, account_name, content_cache_id, content_cache_choice',
    );
    const team = insert('teams', 'id, organization_id, name, description, created_at');
    const member = insert(
      'organization_members',
      'organization_id, user_id, user_name, is_admin, created_at',
    );
    const teamMember = insert('team_members', 'team_id, user_id, user_name, created_at');
    const repository = insert(
      'repositories',
      'id, namespace_id, name, visibility, short_description, search_text, created_at',
    );
    const manifest = insert(
      'manifests',
      'repository_id, digest, media_type, bytes, pushed_by, created_at, last_used_at, subject_digest',
    );
    const tag = insert('tags', 'repository_id, name, digest, created_at, updated_at');
    const reference = insert('manifest_references', 'repository_id, manifest_digest, digest, kind');
    const blob = insert('blobs', 'digest, size_bytes, created_at, last_used_at');
    const link = insert('repository_blobs', 'repository_id, digest, created_at, last_used_at');
    const teamAccess = insert(
      'team_repository_access',
      'team_id, access_level, repository_id, repository_name, namespace_id, visibility, search_text',
    );
    const namespaceAccess = insert('team_namespace_access', 'team_id, access_level');
    const userAccess = insert(
      'user_repository_access',
      'user_id, user_name, access_level, repository_id, repository_name, namespace_id, visibility, search_text',
    );
    const event = insert(
      'events',
      'published_at, actor_id, actor_name, type, object_type, object_id, object_name, door, client, refused',
    );
    const token = insert(
      'access_tokens',
      'token_hash, account_id, label, access, is_active, generated_by, creator_user_agent, created_at',
    );
    const rule = insert('network_rules', 'id, network, content_cache_id, comment, created_at');
    const job = insert(
      'jobs',
      'id, action, parameters, status, created_by, created_at, updated_at, deadline_at, lease_until',
    );
    const target = insert(
      'job_targets',
      'job_id, content_cache_id, name, status, done_blobs, done_bytes, message',
    );
    const prefetchRule = insert(
      'prefetch_rules',
      'id, repository, tag, content_caches, platforms, is_enabled, created_by, created_at, since_event',
    );
    const password = database.prepare('SELECT password_hash FROM accounts WHERE is_admin = 1').pluck().get();

    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const blobs = Array.from({ length: 1_000 }, (_, n) => blobOfLargest(n));
    const image = (repositoryId: string, digest: string, n: number, subject: string | null = null) => {
      const [config, ...layers] = [0, 1, 2].map((layer) => ({
        mediaType:
          layer === 0
            ? 'application/vnd.oci.image.config.v1+json'
            : 'application/vnd.oci.image.layer.v1.tar+gzip',
        digest: blobs[(n * 3 + layer) % blobs.length] as string,
        size: 1,
      }));
      const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers, n }));
      manifest(repositoryId, digest, mediaType, bytes, userName(n % sizes.users), now, now, subject);
      for (const { digest: listed } of [config, ...layers] as { digest: string }[])
        reference(repositoryId, digest, listed, 'blob');
    };

    database.transaction(() => {
      for (let n = 0; n < sizes.caches; n += 1)
        cache(idOf(`cache ${n}`), `office ${n}`, `office ${n}`, cacheUrl, now);
      for (let n = 0; n < sizes.users; n += 1) {
        account(idOf(userName(n)), userName(n), `User ${n}`, 0, 0, 1, password, now);
        const chosen = n % 2 === 0 ? n % sizes.caches : 1;
        if (n % 4 !== 3) setting(idOf(userName(n)), userName(n), idOf(`cache ${chosen}`), 'cache');
      }
      for (let n = 0; n < sizes.users * 2 + sizes.tokens; n += 1) {
        const owner = userName(n < sizes.users * 2 ? n % sizes.users : 0);
        token(hashOf(`token ${n}`), idOf(owner), `laptop ${n}`, 'read-only', 1, owner, 'bench', now - n);
      }
      for (let n = 0; n < sizes.rules; n += 1) {
        const network = `10.${n >> 8}.${n & 255}.0/24`;
        rule(idOf(`rule ${n}`), network, idOf(`cache ${n % sizes.caches}`), '', now);
      }
      for (let n = 0; n < sizes.jobs; n += 1) {
        const parameters = JSON.stringify({
          contentCaches: [idOf(`cache ${n % sizes.caches}`)],
          everything: true,
        });
        job(idOf(`job ${n}`), 'content-cache-purge', parameters, 'done', 'admin', now - n, now, now + 1, 0);
      }
      for (let n = 0; n < sizes.caches; n += 1)
        target(idOf('job 0'), idOf(`cache ${n}`), `office ${n}`, 'done', 1, 1, '');
      for (let n = 0; n < sizes.prefetchRules; n += 1) {
        const pattern = `${organizationName(n)}/*`;
        const caches = JSON.stringify([idOf(`cache ${n % sizes.caches}`)]);
        prefetchRule(idOf(`prefetch ${n}`), pattern, 'v*', caches, '[]', 1, 'admin', now + n, sizes.events);
      }
      for (let n = 0; n < organizations; n += 1) {
        const id = idOf(organizationName(n));
        account(id, organizationName(n), `Organization ${n}`, 1, 0, 1, null, now);
        for (let t = 0; t < teamsOfOrganization; t += 1) team(idOf(`${id}-${t}`), id, `team-${t}`, '', now);
        namespaceAccess(idOf(`${id}-9`), 'read-only');
        if (n < 100) {
          member(id, idOf(userName(0)), userName(0), n < 10 ? 1 : 0, now);
          teamMember(idOf(`${id}-${n % 10}`), idOf(userName(0)), userName(0), now);
        }
      }
      const largeId = idOf(largeOrganization);
      teamMember(idOf(`${largeId}-0`), idOf(userName(1)), userName(1), now);
      for (let n = 0; n < sizes.users; n += 1) {
        const [id, name] = [idOf(userName(n)), userName(n)];
        member(largeId, id, name, 0, now);
        teamMember(idOf(`${largeId}-${teamOfAll}`), id, name, now);
        if (n < 3) continue;
        for (const at of [n, n + 1]) {
          const organization = organizationName(at % (organizations - 1));
          member(idOf(organization), id, name, 0, now);
          teamMember(idOf(`${idOf(organization)}-${n % 10}`), id, name, now);
        }
      }
      for (const digest of blobs) blob(digest, 1_000_000, now, now);
      for (let n = 0; n < sizes.repositories; n += 1) {
        const name = repositoryName(sizes, n);
        const id = idOf(name);
        const namespace = idOf(name.slice(0, name.indexOf('/')));
        const visibility = n % 10 === 0 ? 'public' : 'private';
        const description = `What service ${n} does`;
        const searchText = `${name}\n${description}`.toLowerCase();
        repository(id, namespace, name, visibility, description, searchText, now);
        const listed = [id, name, namespace, visibility, searchText];
        if (name.startsWith(largeOrganization)) teamAccess(idOf(`${namespace}-0`), 'read-only', ...listed);
        else if (n % 4 === 0) teamAccess(idOf(`${namespace}-${(n / 4) % 9}`), 'read-write', ...listed);
        if (n < sizes.grants) userAccess(idOf(userName(2)), userName(2), 'read-only', ...listed);
        if (name === largest) {
          for (let user = 3; user < sizes.grants; user += 1)
            userAccess(idOf(userName(user)), userName(user), 'read-only', ...listed);
          continue;
        }
        const digest = digestOf(name);
        image(id, digest, n);
        for (let t = 0; t < tagsOfRepository; t += 1) tag(id, `v1.${t}`, digest, now, now);
      }
      const id = idOf(largest);
      for (const digest of blobs) link(id, digest, now, now);
      for (let n = 0; n < sizes.imagesOfLargest; n += 1) {
        // Half of them refer to the first.
        image(id, imageOfLargest(n), n, n % 2 === 1 ? imageOfLargest(0) : null);
      }
      for (let n = 0; n < sizes.tagsOfLargest; n += 1)
        tag(id, `v${String(n).padStart(6, '0')}`, imageOfLargest(n % sizes.imagesOfLargest), now, now);
      for (let n = 0; n < sizes.events; n += 1) {
        // A robot does a quarter of everything.
        const who = userName(n % 4 === 0 ? 3 : n % sizes.users);
        const isLogin = n % 3 === 0;
        event(
          // Over a quarter of a year.
          now - n * Math.floor((90 * 86_400_000) / sizes.events),
          idOf(who),
          who,
          isLogin ? 'LOGIN' : 'PUSH',
          isLogin ? 'user' : 'tag',
          isLogin ? idOf(who) : 'id',
          isLogin ? who : `${repositoryName(sizes, n % sizes.repositories)}:v1`,
          'registry',
          '203.0.113.7',
          n % 50 === 0 ? 1 : 0,
        );
      }
      database.exec(`DELETE FROM event_counts;
        INSERT INTO event_counts (day, type, refused, events)
        SELECT published_at / 86400000, type, refused, count(*) FROM events GROUP BY 1, 2, 3`);
    })();
    // Else whoever asks first would do it.
    database.pragma('wal_checkpoint(TRUNCATE)');
  } finally {
    database.close();
  }
}
