/**
 * `npm run screenshots`: pictures of each page of the web UI, in both themes and on a phone, into screenshots/ (not kept in git).
 * Names of pages as arguments take only those. Needs Chromium.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { type DemoRegistry, startDemoRegistry } from './demo-registry.ts';

interface Picture {
  readonly name: string;
  readonly path: string;
  /** What is done before the picture is taken. */
  readonly act?: (page: Page) => Promise<unknown>;
  readonly height?: number;
}

const askWhy = async (page: Page) => {
  await page.getByLabel('User').fill('jane');
  await page.getByLabel('From the address').fill('10.48.7.21');
  await page.getByLabel('Repository').fill('acme/web');
  await page.getByRole('button', { name: 'Ask' }).click();
};

const click = (name: string) => (page: Page) => page.getByRole('button', { name }).first().click();

const pictures = (cacheId: string): Picture[] => [
  { name: 'repositories', path: '/repositories' },
  { name: 'new-repository', path: '/repositories', act: click('New repository') },
  {
    name: 'tags',
    path: '/repositories/acme/web/tags',
    act: click('Show the details of 1.4.2'),
    height: 1_150,
  },
  { name: 'delete-tag', path: '/repositories/acme/web/tags', act: click('Delete 1.4.2') },
  { name: 'access', path: '/repositories/acme/web/access' },
  { name: 'repository-settings', path: '/repositories/acme/web/settings' },
  { name: 'content-cache-setting', path: '/users/admin/settings' },
  { name: 'menu', path: '/users/admin/settings', act: click('Menu of admin') },
  { name: 'password', path: '/users/admin/password' },
  { name: 'tokens', path: '/users/admin/tokens' },
  { name: 'activity', path: '/users/admin/activity' },
  { name: 'organizations', path: '/organizations' },
  { name: 'members', path: '/organizations/acme/members' },
  { name: 'teams', path: '/organizations/acme/teams' },
  { name: 'team', path: '/organizations/acme/teams/shop' },
  { name: 'organization-settings', path: '/organizations/acme/settings' },
  { name: 'content-caches', path: '/admin/content-caches' },
  { name: 'content-cache', path: `/admin/content-caches/${cacheId}`, height: 1_200 },
  { name: 'add-content-cache', path: '/admin/content-caches', act: click('Add a cache') },
  { name: 'remove-content-cache', path: '/admin/content-caches', act: click('Remove region-us') },
  { name: 'jobs', path: '/admin/jobs', height: 960 },
  { name: 'job', path: '/admin/jobs/00000000-0000-4000-8000-000000000100' },
  { name: 'prefetch', path: '/admin/jobs', act: click('Prefetch an image') },
  { name: 'purge', path: '/admin/jobs', act: click('Purge') },
  { name: 'prefetch-rule', path: '/admin/jobs', act: click('Edit the rule for platform') },
  { name: 'network-rules', path: '/admin/network-rules', act: askWhy, height: 1_100 },
  { name: 'users', path: '/admin/users' },
  { name: 'events', path: '/admin/events' },
  { name: 'system', path: '/admin/system' },
  { name: 'not-found', path: '/nothing' },
];

const firstRun: Picture[] = [
  { name: 'getting-started', path: '/getting-started' },
  { name: 'no-repositories', path: '/repositories' },
];

const looks = [
  { name: 'light', colorScheme: 'light', width: 1280, height: 860 },
  { name: 'dark', colorScheme: 'dark', width: 1280, height: 860 },
  { name: 'phone', colorScheme: 'light', width: 360, height: 780 },
] as const;

/** How far the caches seem to be. */
const distancesMs: Record<string, number> = { frankfurt: 11, virginia: 88 };

const output = join(import.meta.dirname, '..', 'screenshots');
const only = process.argv.slice(2);
const data = await mkdtemp(join(tmpdir(), 'dtr-screenshots-'));
try {
  await mkdir(output, { recursive: true });
  await take(({ cacheId }) => pictures(cacheId));
  await take(() => firstRun, { empty: true });
} finally {
  await rm(data, { recursive: true, force: true });
}

async function take(
  picturesOf: (registry: DemoRegistry) => Picture[],
  options: { empty?: boolean } = {},
): Promise<void> {
  const port = await freePort();
  const registry = await startDemoRegistry(join(data, String(port)), port, options);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      `--host-resolver-rules=MAP dtr.example.com:443 127.0.0.1:${port}`,
    ],
  });
  try {
    const wanted = picturesOf(registry).filter(({ name }) => only.length === 0 || only.includes(name));
    for (const { name, colorScheme, width, height } of looks) {
      const context = await browser.newContext({
        ignoreHTTPSErrors: true,
        colorScheme,
        reducedMotion: 'reduce',
        viewport: { width, height },
      });
      await pretendDistances(context);
      await signIn(context, registry.adminPassword);
      for (const picture of wanted) await shoot(context, picture, name, { width, height });
      await context.close();
    }
  } finally {
    await browser.close();
    await registry.close();
  }
}

async function signIn(context: BrowserContext, password: string): Promise<void> {
  const page = await context.newPage();
  await page.goto('https://dtr.example.com/sign-in');
  await page.getByLabel('User name').fill('admin');
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Menu of admin' }).waitFor();
  await page.close();
}

async function shoot(
  context: BrowserContext,
  picture: Picture,
  look: string,
  size: { width: number; height: number },
): Promise<void> {
  const page = await context.newPage();
  await page.setViewportSize({ ...size, height: picture.height ?? size.height });
  await page.goto(`https://dtr.example.com${picture.path}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.waitForLoadState('networkidle');
  await picture.act?.(page);
  // Until what opens is open, and what is measured is measured.
  await page.waitForTimeout(700);
  const path = join(output, `${picture.name}-${look}.png`);
  await page.screenshot({ path, fullPage: look === 'phone' && picture.act === undefined });
  console.log(path);
  await page.close();
}

async function pretendDistances(context: BrowserContext): Promise<void> {
  await context.route('https://cache-*.example.com/**', async (route) => {
    const city = /cache-(\w+)\./.exec(route.request().url())?.[1] ?? '';
    const ms = distancesMs[city];
    if (ms === undefined) return route.abort();
    await new Promise((done) => setTimeout(done, ms));
    await route.fulfill({ status: 200 });
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
