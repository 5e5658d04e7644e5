/** The page of the API docs, as a person uses it. */
import assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';
import { type DocumentedOperation, documentedOperations } from './documented-operations.ts';

/** Goes to the docs of the origin and waits for what they begin with: the tags, closed. */
export async function openDocs(page: Page, origin: string): Promise<void> {
  await page.goto(`${origin}/docs/api/`);
  await page.locator('.opblock-tag').first().waitFor();
}

/** Signs in by the button "Authorize", with a password or an access token in place of it. */
export async function authorize(page: Page, user: string, password: string): Promise<void> {
  await inAuthorizations(page, 'input[name="username"]', async (form) => {
    await form.locator('input[name="username"]').fill(user);
    await form.locator('input[name="password"]').fill(password);
  });
}

/** Signs in by the button "Authorize", with a token of `GET /auth/token`. */
export async function authorizeByToken(page: Page, token: string): Promise<void> {
  await inAuthorizations(page, '#auth-bearer-value', (form) =>
    form.locator('#auth-bearer-value').fill(token),
  );
}

async function inAuthorizations(
  page: Page,
  field: string,
  fill: (form: Locator) => Promise<void>,
): Promise<void> {
  await page.locator('.auth-wrapper .btn.authorize').click();
  const dialog = page.locator('.modal-ux');
  const form = dialog.locator('form', { has: page.locator(field) });
  await fill(form);
  await form.locator('button[type="submit"]').click();
  await dialog.locator('.btn-done').first().click();
}

/** What goes in place of what the page fills in by itself. */
interface Input {
  readonly parameters?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Values in what the page filled in, and what goes in place of each. */
  readonly inPlaceOf?: ReadonlyMap<string, string>;
}

export interface ShownAnswer {
  readonly status: number;
  readonly body: string;
}

/** "Try it out" and "Execute" of one operation: what it answered, which the page must show. */
export async function execute(page: Page, id: string, input: Input = {}): Promise<ShownAnswer> {
  const { method, path, operation } = documentedOperations.get(id) as DocumentedOperation;
  await openTag(page, operation.tags[0] as string);
  const block = page.locator(`#operations-${operation.tags[0]}-${id}`);
  await block.locator('.opblock-summary-control').click();
  const tryOut = block.locator('.try-out__btn');
  await tryOut.waitFor();
  // It stays pressed when the operation is closed.
  if (!(await tryOut.getAttribute('class'))?.includes('cancel')) await tryOut.click();
  await fillIn(block, input);
  const answered = page.waitForResponse(
    (response) => response.request().method() === method && path.test(new URL(response.url()).pathname),
  );
  await block.locator('.execute').click();
  const answer = await answered;
  const live = block.locator('.live-responses-table .response .response-col_status');
  await live.waitFor();
  const shown = Number.parseInt(await live.innerText(), 10);
  assert.equal(shown, answer.status(), `${id}: the page shows the answer`);
  const body = shown === 204 ? '' : await answer.text();
  // Closed again: a page with many open operations becomes slow.
  await block.locator('.opblock-summary-control').click();
  return { status: shown, body };
}

/** Opens it, and it alone. */
async function openTag(page: Page, tag: string): Promise<void> {
  const open = page.locator('.opblock-tag-section.is-open .opblock-tag');
  if ((await open.count()) > 0) {
    if ((await open.getAttribute('data-tag')) === tag) return;
    await open.click();
  }
  await page.locator(`.opblock-tag[data-tag="${tag}"]`).click();
}

async function fillIn(
  block: Locator,
  { parameters = {}, body, inPlaceOf = new Map() }: Input,
): Promise<void> {
  for (const [name, value] of Object.entries(parameters))
    await block.locator(`tr[data-param-name="${name}"] input`).fill(value);
  const text = block.locator('.body-param textarea');
  if (body !== undefined) await text.fill(body);
  if (inPlaceOf.size === 0) return;
  for (const field of await block.locator('tr[data-param-in="path"] input, .body-param textarea').all()) {
    const shipped = await field.inputValue();
    const meant = [...inPlaceOf].reduce((value, [one, other]) => value.replaceAll(one, other), shipped);
    if (meant !== shipped) await field.fill(meant);
  }
}
