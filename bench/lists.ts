/**
 * Pages of long lists, and decisions, in a company of 10,000 caches, 10,000 users, 100,000 repositories and 1,000,000 tags: one
 * request at a time, each for something else.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomNumbers } from '../test/setup/random-numbers.ts';
import {
  blobOfLargest,
  largeSizes,
  largestOf,
  repositoryName,
  type Sizes,
  smallSizes,
  userName,
} from './lists-company.ts';
import { callers, type Question, questionsOf } from './lists-questions.ts';
import { seedCompany } from './lists-seed.ts';
import { processorMs } from './processor-time.ts';
import { quantile } from './quantile.ts';
import { type OurServers, startOurs } from './servers.ts';

const boundMs = 50;
const redirectOfBlob = 'redirect of a blob';
const deletionOfLargest = 'deletion of the largest repository';
const quick = process.argv.includes('--quick');
const requestsOfQuestion = quick ? 30 : 200;
/** Before each, not measured. */
const warmUps = quick ? 5 : 20;
/** `--only=search`: only what has this in its name, or fits it as a regular expression. */
const only = flag('only');
/** `--keep=/some/directory`: the companies stay there, and are found there by the next run. */
const kept = flag('keep');

type Row = Pick<Question, 'what' | 'caller'> & Figures;

/**
 * Prints a table of the figures, and which are over 50 ms. Beside them stand those of the same requests in a company of nearly
 * nothing, measured just before.
 */
export async function measureLists(scratch: string): Promise<void> {
  const directory = kept ?? scratch;
  const small = await measureCompany(join(directory, 'lists-small'), smallSizes, () => {});
  console.log(
    '| | who | small: work p50 | work p50 | ratio | work p99 | waited p50 | waited p99 |\n|---|---|---|---|---|---|---|---|',
  );
  const large = await measureCompany(join(directory, 'lists-large'), largeSizes, (row, n) => {
    const [before, after] = [small[n] as Row, row].map(({ worked }) => quantile(worked, 0.5)) as [
      number,
      number,
    ];
    const others = [quantile(row.worked, 0.99), quantile(row.waited, 0.5), quantile(row.waited, 0.99)];
    const cells = [cell(before), cell(after), (after / before).toFixed(1), ...others.map(cell)];
    console.log(`| ${[row.what, row.caller, ...cells].join(' | ')} |`);
  });
  for (const kind of ['worked', 'waited'] as const) {
    const over = large.filter((row) => quantile(row[kind], 0.99) > boundMs);
    const names = over.map(({ what, caller }) => `${what} (${caller})`).join(', ');
    console.log(
      `${over.length === 0 ? 'MET' : 'NOT MET'}: p99 of time ${kind} <= ${boundMs} ms: ${large.length - over.length} of ${large.length}${over.length === 0 ? '' : `; not ${names}`}`,
    );
  }
}

async function measureCompany(
  directory: string,
  sizes: Sizes,
  done: (row: Row, n: number) => void,
): Promise<Row[]> {
  await mkdir(directory, { recursive: true });
  // Nobody looks at the caches: they share the core that is measured.
  const ours = await startOurs(directory, { flags: ['--probe-interval', 'off'] });
  try {
    const seeded = join(directory, 'seeded');
    if (!existsSync(seeded)) seedCompany(sizes, ours.data, ours.cacheUrl);
    await writeFile(seeded, '');
    const password = (await readFile(join(ours.data, 'admin-password'), 'utf8')).trim();
    const rows: Row[] = [];
    const add = (row: Row) => {
      done(row, rows.length);
      rows.push(row);
    };
    for (const question of questionsOf(sizes)) {
      if (isWanted(question.what)) add({ ...question, ...(await ask(ours, sizes, password, question)) });
    }
    if (isWanted(redirectOfBlob)) {
      add({ what: redirectOfBlob, caller: 'plain', ...(await askRedirects(ours, sizes, password)) });
    }
    // The next run wants to find it.
    const lasting = kept !== undefined && only === undefined;
    if (sizes === largeSizes && isWanted(deletionOfLargest) && !lasting) {
      await deleteLargest(ours, sizes, password);
    }
    return rows;
  } finally {
    await ours.stop();
  }
}

async function ask(
  ours: OurServers,
  sizes: Sizes,
  password: string,
  { what, caller, path }: Question,
): Promise<Figures> {
  const largest = largestOf(sizes);
  const { url } = ours.target;
  const service = new URL(url).host;
  const basic = { Authorization: `Basic ${btoa(`${callers[caller]}:${password}`)}` };
  const first = path(numbers(1));
  const api = !/^\/(?:v2|auth)\//.test(first);
  const scope = first.includes('_catalog') ? 'registry:catalog:*' : `repository:${largest}:pull`;
  const headers = first.startsWith('/auth/')
    ? basic
    : bearer(await tokenOf(url, basic, api ? '' : `?service=${service}&scope=${scope}`));
  const random = numbers(what.length);
  const figures = new FiguresOf(ours.pid);
  for (let n = -warmUps; n < requestsOfQuestion; n += 1) {
    const target = path(random)
      .replaceAll(' ', '%20')
      .replace('/auth/token?', `/auth/token?service=${service}&`);
    await figures.time(n >= 0, async () => {
      const response = await fetch(`${url}${api ? '/api/v0' : ''}${target}`, { headers });
      const text = await response.text();
      if (!response.ok) throw new Error(`${what} (${caller}): ${target}: ${response.status} ${text}`);
    });
  }
  return figures.all();
}

/** Where a blob is to be fetched. */
async function askRedirects(ours: OurServers, sizes: Sizes, password: string): Promise<Figures> {
  const largest = largestOf(sizes);
  const { url } = ours.target;
  const scope = `?service=${new URL(url).host}&scope=repository:${largest}:pull`;
  const random = numbers(7);
  const figures = new FiguresOf(ours.pid);
  for (let n = -warmUps; n < requestsOfQuestion; n += 1) {
    // Those with an even number have chosen a cache. Where there are enough users, each asks once.
    const user = userName(4 + 2 * ((n + warmUps) % (sizes.users / 2 - 2)));
    const token = await tokenOf(url, { Authorization: `Basic ${btoa(`${user}:${password}`)}` }, scope);
    await figures.time(n >= 0, async () => {
      const response = await fetch(`${url}/v2/${largest}/blobs/${blobOfLargest(random(1000))}`, {
        headers: bearer(token),
        redirect: 'manual',
      });
      await response.text();
      if (response.status !== 307) throw new Error(`no redirect: ${response.status}`);
    });
  }
  return figures.all();
}

/** What others wait while a repository of 100,000 tags is deleted. */
async function deleteLargest(ours: OurServers, sizes: Sizes, password: string): Promise<void> {
  const largest = largestOf(sizes);
  const { url } = ours.target;
  const headers = bearer(await tokenOf(url, { Authorization: `Basic ${btoa(`admin:${password}`)}` }, ''));
  const startedAt = performance.now();
  let seconds: number | undefined;
  const deletion = fetch(`${url}/api/v0/repositories/${largest}`, { method: 'DELETE', headers });
  const deleted = deletion.then((response) => {
    if (response.status !== 204) throw new Error(`not deleted: ${response.status}`);
    seconds = (performance.now() - startedAt) / 1000;
  });
  const random = numbers(3);
  const waited: number[] = [];
  while (seconds === undefined) {
    const askedAt = performance.now();
    const name = repositoryName(sizes, random(sizes.repositories - 1));
    await (await fetch(`${url}/api/v0/repositories/${name}`, { headers })).text();
    waited.push(performance.now() - askedAt);
  }
  await deleted;
  const tags = sizes.tagsOfLargest.toLocaleString('en-US');
  console.log(
    `while a repository of ${tags} tags is deleted in ${(seconds as number).toFixed(1)} s, another one is given after ${cell(quantile(waited, 0.5))} ms, p99 ${cell(quantile(waited, 0.99))} ms`,
  );
}

async function tokenOf(url: string, headers: Record<string, string>, query: string): Promise<string> {
  const response = await fetch(`${url}/auth/token${query}`, { headers });
  return ((await response.json()) as { token: string }).token;
}

function bearer(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}

interface Figures {
  /** From asking until having read the answer, in ms. */
  readonly waited: readonly number[];
  /** The origin's time on its core meanwhile, whatever else the machine does, in ms. */
  readonly worked: readonly number[];
}

class FiguresOf {
  readonly #pid: number;
  readonly #waited: number[] = [];
  readonly #worked: number[] = [];

  constructor(pid: number) {
    this.#pid = pid;
  }

  async time(measured: boolean, work: () => Promise<void>): Promise<void> {
    const before = await processorMs(this.#pid);
    const startedAt = performance.now();
    await work();
    const waited = performance.now() - startedAt;
    const worked = (await processorMs(this.#pid)) - before;
    if (!measured) return;
    this.#waited.push(waited);
    this.#worked.push(worked);
  }

  all(): Figures {
    return { waited: this.#waited, worked: this.#worked };
  }
}

function cell(ms: number): string {
  return ms > boundMs ? `**${ms.toFixed(1)}**` : ms.toFixed(1);
}

function isWanted(what: string): boolean {
  return only === undefined || new RegExp(only).test(what);
}

function flag(name: string): string | undefined {
  const start = `--${name}=`;
  return process.argv.find((argument) => argument.startsWith(start))?.slice(start.length);
}

/** Whole numbers, the same in every run. */
function numbers(seed: number): (below: number) => number {
  const random = randomNumbers(seed);
  return (below) => Math.floor(random() * below);
}
