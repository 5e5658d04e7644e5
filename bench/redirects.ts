/**
 * Redirects for a company: 100,000 users of 1,000 caches and 10,000 network rules, of whom a hundred pull at the same time. They fetch
 * blobs piece by piece, as containerd 2 does, each piece by a redirect of its own; or whole, each for the first time.
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
import { processorMs } from './processor-time.ts';
import { type OurServers, repository, type Server, startBareRedirects, startOurs } from './servers.ts';

interface Company {
  readonly users: number;
  readonly caches: number;
  readonly rules: number;
}

const small: Company = { users: 100, caches: 4, rules: 4 };
const large: Company = { users: 100_000, caches: 1_000, rules: 10_000 };
const pullingUsers = 100;
/** Of a pull by pieces, and for a pull of whole blobs: none of them is asked for twice. */
const piecedBlobs = 40;
const wholeBlobs = 5_000;

export interface RedirectRate {
  readonly perSecond: number;
  /** Of the server's processor time, for one redirect. */
  readonly workedMicroseconds: number;
}

type Load = (seconds: number) => Promise<RedirectRate>;

export interface RedirectFigures<Figures> {
  /** By pieces, in a small company and in a large one. */
  readonly small: Figures;
  readonly large: Figures;
  /** Of whole blobs in the large one, each with a signature that nobody was given before. */
  readonly whole: Figures;
}

/**
 * `compare` puts load on an origin and on Node's bare HTTP server, which answers the same requests with nothing done for them, in
 * turns: the machine may be half as fast a moment later.
 */
export async function measureRedirectsOf<Figures>(
  scratch: string,
  compare: (ours: Load, bare: Load) => Promise<Figures>,
): Promise<RedirectFigures<Figures>> {
  const bare = await startBareRedirects();
  const measure = async (name: string, company: Company, pieces: boolean) => {
    const directory = join(scratch, name);
    await mkdir(directory);
    // Nobody looks at the caches: they share the core that is to be full.
    const flags = ['--trusted-proxies', '127.0.0.1/32', '--probe-interval', 'off'];
    const ours = await startOurs(directory, { flags });
    try {
      const digests = seed(ours, company, pieces ? piecedBlobs : wholeBlobs);
      const script = await writeScript(ours, directory, digests, pieces);
      return await compare(loadOf(ours, script), loadOf(bare, script));
    } finally {
      await ours.stop();
    }
  };
  try {
    return {
      small: await measure('small', small, true),
      large: await measure('large', large, true),
      whole: await measure('whole', large, false),
    };
  } finally {
    await bare.stop();
  }
}

function loadOf({ target, pid }: Pick<Server, 'target' | 'pid'>, script: string): Load {
  // Where the round before has ended: who asks again is no first request.
  let position = 0;
  return async (seconds) => {
    const before = await processorMs(pid);
    const { perSecond, requests } = await scriptedRequests(target, script, position, seconds);
    position += requests;
    const workedMs = (await processorMs(pid)) - before;
    return { perSecond, workedMicroseconds: (workedMs * 1000) / requests };
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

/** For wrk: each user asks for the first blob, or a piece of it, then each for the second, and so on. */
async function writeScript(
  ours: OurServers,
  directory: string,
  digests: readonly string[],
  pieces: boolean,
): Promise<string> {
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
    for (let user = 0; user < pullingUsers; user += 1) {
      const { token } = tokens.sign(userName(user), access);
      const network = user % 4 === 1 ? 10 : 203;
      const address = `${network}.0.${user % 4}.${user}`;
      lines.push(`"Host: origin\\r\\nX-Forwarded-For: ${address}\\r\\nAuthorization: Bearer ${token}\\r\\n"`);
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
  -- The first one is only looked at, and never sent.
  n = tonumber(args[1]) - 1
end
request = function()
  local digest = digests[math.floor(n / #heads) % #digests + 1]
  local head = heads[n % #heads + 1]
  local range = ${pieces ? `"Range: bytes=" .. math.floor(n / (#heads * #digests)) * 1048576 .. "-\\r\\n"` : '""'}
  n = n + 1
  return "GET /v2/${repository}/blobs/" .. digest .. " HTTP/1.1\\r\\n" .. head .. range .. "\\r\\n"
end
`,
  );
  return script;
}
