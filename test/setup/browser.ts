/** Chromium, and pages in it that note whatever a page of ours must not do. */
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** For `skip`: loud on a machine without a browser, and a failure where everything must be there. */
export const browserMissing =
  existsSync(executablePath) || process.env.CI === 'true'
    ? false
    : `NOT TESTED: there is no browser at ${executablePath} (Debian's package chromium, or CHROMIUM=<path>)`;

export interface WatchedPage {
  readonly page: Page;
  /** Requests to other hosts, violations of the policy, errors of scripts and dialogs. */
  readonly complaints: string[];
  /** Every address that was asked for. */
  readonly requested: string[];
}

/** Whoever starts it closes it. */
export async function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** A page of a context of its own: nobody is signed in. `origin`: the only host that it may ask. */
export async function openPage(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions & { mayAsk?: readonly string[] } = {},
): Promise<WatchedPage> {
  const { mayAsk = [], ...contextOptions } = options;
  const context = await browser.newContext({ reducedMotion: 'reduce', ...contextOptions });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const allowed = [origin, ...mayAsk];
  const complaints: string[] = [];
  const requested: string[] = [];
  context.on('request', (request) => {
    const url = request.url();
    if (url.startsWith('data:') || url.startsWith('blob:')) return;
    requested.push(url);
    if (!allowed.includes(new URL(url).origin)) complaints.push(`request to ${url}`);
  });
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('dialog', async (dialog) => {
    // The browser's own question before a page with unsaved changes is left.
    if (dialog.type() === 'beforeunload') return dialog.accept();
    complaints.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on('console', (message) => {
    const text = message.text();
    if (/content security policy|refused to/i.test(text)) complaints.push(text);
  });
  await page.exposeFunction('noteViolation', (text: string) => complaints.push(text));
  await page.addInitScript(`addEventListener('securitypolicyviolation', (event) =>
    noteViolation(event.violatedDirective + ' ' + event.blockedURI));`);
  return { page, complaints, requested };
}
