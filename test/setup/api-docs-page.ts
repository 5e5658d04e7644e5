/** The page of the API docs, as a person uses it. */
import type { Locator, Page } from 'playwright-core';

/** Signs in by the button "Authorize". */
export async function authorize(page: Page, user: string, password: string): Promise<void> {
  await page.locator('.auth-wrapper .btn.authorize').click();
  const dialog = page.locator('.modal-ux');
  await dialog.locator('#auth_username, input[name="username"]').fill(user);
  await dialog.locator('#auth_password, input[name="password"]').fill(password);
  const form = dialog.locator('form', { has: page.locator('input[name="username"]') });
  await form.locator('button[type="submit"]').click();
  await dialog.locator('.btn-done').first().click();
}

/** "Try it out" on one operation: what it answered, as the page shows it. */
export async function execute(
  page: Page,
  operation: string,
  input: { parameter?: string; body?: string },
): Promise<{ status: string; body: string }> {
  const block = page.locator(`.opblock[id$="-${operation}"]`);
  if ((await block.locator('.opblock-body').count()) === 0) await block.locator('.opblock-summary').click();
  const tryOut = block.locator('.try-out__btn:not(.cancel)');
  await block.locator('.try-out__btn').waitFor();
  if ((await tryOut.count()) > 0) await tryOut.click();
  if (input.parameter !== undefined) await block.locator('.parameters input').fill(input.parameter);
  if (input.body !== undefined) await block.locator('textarea').fill(input.body);
  const clear = block.locator('.btn-clear');
  if ((await clear.count()) > 0) await clear.click();
  await block.locator('.execute').click();
  const live: Locator = block.locator('.live-responses-table .response');
  await live.waitFor();
  const status = (await live.locator('.response-col_status').innerText()).trim().split(/\s/)[0] as string;
  const body = await live.locator('.highlight-code code, pre').first().innerText();
  // Closed again: a page with many open operations becomes slow.
  await block.locator('.opblock-summary-control').click();
  return { status, body };
}
