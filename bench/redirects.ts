/**
 * Redirects for a company: 100,000 users of 1,000 caches and 10,000 network rules. A fleet pulls: a hundred users, each with many
 * machines at addresses of their own, so with a registry token for each machine; each asks for each blob once.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { openDatabaseBeside } from '../src/origin/database.ts';
import { RegistryTokens } from '../src/origin/keys/registry-token.ts';
import { SigningKeys } from '../src/origin/keys/signing-keys.ts';
import { systemClock } from '../src/shared/clock.ts';
import { scriptedRequests } from './load.ts';
import { type OurServers, repository, startOurs } from './servers.ts';

interface Company {
  readonly users: number;
  readonly caches: number;
  readonly rules: number;
}

const small: Company = { users: 100, caches: 4, rules: 4 };
const large: Company = { users: 100_000, caches: 1_000, rules: 10_000 };
const pullingUsers = 100;
const machinesOfUser = 24;
const blobCount = 90;

export interface RedirectFigures {
  readonly small: number;
  readonly large: number;
  /** Where no signature can be given again: nobody has asked for these blobs before. */
  readonly signing: number;
}

/** Redirects per second, in a small company and in a large one. */
export async function redirectsPerSecond(
  scratch: string,
  rate: (load: (seconds: number) => Promise<number>) => Promise<number>,
): Promise<RedirectFigures> {
  const measure = async (name: string, company: Company, blobs: number) => {
    const directory = join(scratch, name);
    await mkdir(directory);
    const ours = await startOurs(directory, { flags: ['--trusted-proxies', '127.0.0.1/32'] });
    try {
      const digests = seed(ours, company, blobs);
      const script = await writeScript(ours, directory, digests);
      // Where the round before has ended: who asks again is no first request.
      let position = 0;
      return await rate(async (seconds) => {
        const { perSecond, requests } = await scriptedRequests(ours.target, script, position, seconds);
        position += requests;
        return perSecond;
      });
    } finally {
      await ours.stop();
    }
  };
  return {
    small: await measure('few', small, blobCount),
    large: await measure('many', large, blobCount),
    signing: await measure('signing', large, blobCount * 50),
  };
}

/** Into the database: creating so many takes minutes. A quarter each has a cache of their own, leaves it to a rule, an organization, the system. */
function seed({ data, cacheUrl }: OurServers, company: Company, blobs: number): string[] {
  const database = new BetterSqlite3(join(data, 'dtr.db'));
  const digests = Array.from(
    { length: blobs },
    (_, n) => `sha256:${createHash('sha256').update(`${n}`).digest('hex')}`,
  );
  try {
    const admin = database.prepare('SELECT id FROM accounts WHERE is_admin = 1').pluck().get() as string;
    const run = (sql: string) => {
      const statement = database.prepare(sql);
      return (...values: unknown[]) => statement.run(...values);
    };
    const cache = run(
      'INSERT INTO content_caches (id, name, name_key, host, created_at) VALUES (?, ?, ?, ?, 0)',
    );
    const rule = run(
      "INSERT INTO network_rules (id, network, content_cache_id, comment, created_at) VALUES (?, ?, ?, '', 0)",
    );
    const account = run(
      'INSERT INTO accounts (id, name, is_org, is_admin, is_active, created_at) VALUES (?, ?, ?, 0, 1, 0)',
    );
    const setting = run(
      "INSERT INTO account_settings (account_id, content_cache_id, content_cache_choice) VALUES (?, ?, 'cache')",
    );
    const member = run(
      'INSERT INTO organization_members (organization_id, user_id, is_admin, created_at) VALUES (?, ?, 0, 0)',
    );
    const blob = run('INSERT INTO blobs (digest, size_bytes, created_at, last_used_at) VALUES (?, 1, 0, ?)');
    const link = run(
      'INSERT INTO repository_blobs (repository_id, digest, created_at, last_used_at) VALUES (?, ?, 0, ?)',
    );
    database.transaction(() => {
      for (let n = 0; n < company.caches; n += 1) cache(`cache-${n}`, `office ${n}`, `office ${n}`, cacheUrl);
      const cacheOf = (n: number) => `cache-${n % company.caches}`;
      // The machines of the users whose number leaves 1 are in these networks.
      for (let n = 0; n < company.rules; n += 1)
        rule(randomUUID(), `10.${n >> 8}.${n & 255}.0/24`, cacheOf(n));
      account('acme', 'acme', 1);
      setting('acme', cacheOf(7));
      for (let n = 0; n < company.users; n += 1) {
        account(`user-${n}`, userName(n), 0);
        if (n % 4 === 0) setting(`user-${n}`, cacheOf(n));
        if (n % 4 === 2) member('acme', `user-${n}`);
      }
      database
        .prepare("INSERT INTO system_settings (key, value) VALUES ('defaultContentCacheId', ?)")
        .run(JSON.stringify(cacheOf(3)));
      database
        .prepare(
          "INSERT INTO repositories (id, namespace_id, name, visibility, created_at) VALUES ('bench', ?, ?, 'private', 0)",
        )
        .run(admin, repository);
      for (const digest of digests) {
        // Used just now: nobody shall collect it.
        blob(digest, systemClock());
        link('bench', digest, systemClock());
      }
      database.prepare("UPDATE revisions SET revision = revision + 1 WHERE name = 'network-rules'").run();
    })();
    return digests;
  } finally {
    database.close();
  }
}

function userName(n: number): string {
  return `user${n}`;
}

/** For wrk: each machine asks for the first blob, then each for the second, and so on. */
async function writeScript(ours: OurServers, directory: string, digests: readonly string[]): Promise<string> {
  const database = await openDatabaseBeside(ours.data);
  const lines: string[] = [];
  try {
    const tokens = new RegistryTokens({
      keys: await SigningKeys.load(database, systemClock),
      issuer: ours.target.url,
      service: new URL(ours.target.url).host,
      lifetimeSeconds: 300,
      clock: systemClock,
    });
    const access = [{ type: 'repository', name: repository, actions: ['pull'] }];
    for (let machine = 0; machine < machinesOfUser; machine += 1) {
      for (let user = 0; user < pullingUsers; user += 1) {
        const { token } = tokens.sign(userName(user), access);
        const network = user % 4 === 1 ? 10 : 203;
        const head = `Host: origin\\r\\nX-Forwarded-For: ${network}.0.${user % 4}.${machine}\\r\\nAuthorization: Bearer ${token}\\r\\n\\r\\n`;
        lines.push(`"${head}"`);
      }
    }
  } finally {
    await database.close();
  }
  const script = join(directory, 'redirects.lua');
  await writeFile(
    script,
    `local heads = {${lines.join(',\n')}}
local digests = {${digests.map((digest) => `"${digest}"`).join(',\n')}}
local n = 0
init = function(args)
  n = tonumber(args[1])
end
request = function()
  local digest = digests[math.floor(n / #heads) % #digests + 1]
  local head = heads[n % #heads + 1]
  n = n + 1
  return "GET /v2/${repository}/blobs/" .. digest .. " HTTP/1.1\\r\\n" .. head
end
response = function(status)
  if status ~= 307 then io.stderr:write("status " .. status .. "\\n") os.exit(1) end
end
`,
  );
  return script;
}
