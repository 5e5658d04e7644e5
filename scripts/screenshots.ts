/**
 * `npm run screenshots`: pictures of the web UI, in both themes, wide and on a phone, into screenshots/ (not kept in git).
 * Names of pictures, or beginnings of them with a `*`, as arguments take only those. Needs Chromium.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { type DemoRegistry, startDemoRegistry } from './demo-registry.ts';
import { companyPictures, firstRunPictures, type Picture } from './pictures.ts';

const widths = [
  { suffix: '', viewport: { width: 1280, height: 860 } },
  { suffix: '-phone', viewport: { width: 360, height: 780 }, isMobile: true, hasTouch: true },
] as const;

type Width = (typeof widths)[number];

/** How far the caches seem to be. */
const distancesMs: Record<string, number> = { frankfurt: 11, virginia: 88 };

const url = 'https://dtr.example.com';
const output = join(import.meta.dirname, '..', 'screenshots');
const only = process.argv.slice(2);
const data = await mkdtemp(join(tmpdir(), 'dtr-screenshots-'));
try {
  await mkdir(output, { recursive: true });
  await take(({ cacheId }) => companyPictures(cacheId));
  await take(() => firstRunPictures, { empty: true });
} finally {
  await rm(data, { recursive: true, force: true });
}

async function take(
  picturesOf: (registry: DemoRegistry) => readonly Picture[],
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
    const contexts = new Map<string, BrowserContext>();
    for (const picture of picturesOf(registry)) {
      await picture.prepare?.(registry);
      if (only.length > 0 && !only.some((pattern) => fits(picture.name, pattern))) continue;
      const who = picture.as ?? 'admin';
      for (const width of widths) {
        const key = `${who}${width.suffix}`;
        const context = contexts.get(key) ?? (await openContext(browser, who, width, registry));
        contexts.set(key, context);
        await shoot(context, picture, width).catch((error) => {
          console.error(`${picture.name}${width.suffix} could not be taken:`, error);
          process.exitCode = 1;
        });
      }
    }
  } finally {
    await browser.close();
    await registry.close();
  }
}

function fits(name: string, pattern: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

/** Of a browser in which somebody, or nobody, is signed in. */
async function openContext(
  browser: Browser,
  who: string,
  { suffix: _suffix, ...size }: Width,
  registry: DemoRegistry,
): Promise<BrowserContext> {
  const context = await browser.newContext({ ...size, ignoreHTTPSErrors: true, reducedMotion: 'reduce' });
  context.setDefaultTimeout(10_000);
  await pretendDistances(context);
  if (who === 'nobody') return context;
  const page = await context.newPage();
  await page.goto(`${url}/sign-in`);
  await page.getByLabel('User name').fill(who);
  await page.getByLabel('Password').fill(registry.passwordOf(who));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: `Menu of ${who}` }).waitFor();
  await page.close();
  return context;
}

async function shoot(context: BrowserContext, picture: Picture, { suffix, viewport }: Width): Promise<void> {
  await using page = await context.newPage();
  await page.setViewportSize({ ...viewport, height: picture.height ?? viewport.height });
  for (const [path, answer] of Object.entries(picture.stubs ?? {})) await stub(page, path, answer);
  await page.goto(`${url}${picture.path}`);
  await page.getByRole('heading', { level: 1 }).or(page.getByRole('status')).first().waitFor();
  await Promise.race([page.waitForLoadState('networkidle'), page.waitForTimeout(5_000)]);
  await picture.act?.(page);
  // Until what opens is open, and what is measured is measured.
  await page.waitForTimeout(500);
  // What is in front of the page is as large as the screen.
  const isPage = (await page.getByRole('dialog').or(page.getByRole('menu')).count()) === 0;
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.waitForTimeout(250);
    const name = `${picture.name}${suffix}${suffix === '' || colorScheme === 'dark' ? `-${colorScheme}` : ''}`;
    const path = join(output, `${name}.png`);
    await page.screenshot({ path, fullPage: suffix === '-phone' && isPage });
    console.log(path);
  }
}

async function stub(page: Page, path: string, answer: NonNullable<Picture['stubs']>[string]): Promise<void> {
  await page.route(
    ({ pathname }) => fits(pathname, path),
    async (route) => {
      if (answer === 'never') return;
      if (answer === 'broken') return route.abort();
      const { status, body } = answer;
      await route.fulfill({ status, contentType: 'application/json', body: JSON.stringify(body) });
    },
  );
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
