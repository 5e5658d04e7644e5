/** An origin and a browser whose pages belong to somebody who is signed in. */
import assert from 'node:assert/strict';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { openPage, type WatchedPage } from '../../setup/browser.ts';
import type { TestOrigin } from '../../setup/origin.ts';

type Options = BrowserContextOptions & { mayAsk?: readonly string[] };

const sessions = new Map<string, Promise<string>>();

/** A page of the user, `name:password`, by default the admin. The session is made once for all pages of a file. */
export async function openSignedIn(
  browser: Browser,
  origin: TestOrigin,
  user = `admin:${origin.adminPassword}`,
  options: Options = {},
): Promise<WatchedPage> {
  const made = sessions.get(`${origin.url} ${user}`) ?? signIn(origin, user);
  sessions.set(`${origin.url} ${user}`, made);
  const watched = await openPage(browser, origin.url, options);
  const [name = '', value = ''] = (await made).split('=');
  await watched.page
    .context()
    .addCookies([{ name, value, url: origin.url, httpOnly: true, sameSite: 'Lax' }]);
  return watched;
}

async function signIn(origin: TestOrigin, user: string): Promise<string> {
  const [username, ...rest] = user.split(':');
  const response = await fetch(`${origin.url}/api/v0/session`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ username, password: rest.join(':') }),
  });
  assert.equal(response.status, 200, 'signed in');
  return response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
}

/** Closes the page; fails if it did what no page may. */
export async function closeWell({ page, complaints }: WatchedPage): Promise<void> {
  await page.context().close();
  assert.deepEqual(complaints, []);
}

/** Types the name that a dialog asks for, and presses its button. */
export async function confirmByName(page: Page, name: string, action: string): Promise<void> {
  const dialog = page.getByRole('dialog');
  const button = dialog.getByRole('button', { name: action });
  assert.equal(await button.isDisabled(), true, 'the button waits for the name');
  await dialog.getByRole('textbox', { name: 'to confirm' }).fill(name);
  await button.click();
  await dialog.waitFor({ state: 'detached' });
}

/** What the API answers the admin, which must be well. */
export async function ask<T = unknown>(
  origin: TestOrigin,
  method: string,
  path: string,
  body?: unknown,
): Promise<T> {
  const answer = await origin.api(method, path, body);
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}
