/** What admins decide for the whole system; kept in the database, so that every origin on it follows. */
import type { Queryable, Transaction } from '../database.ts';

export interface SystemSettings {
  /** Whether a push creates a repository, where its namespace does not say otherwise. */
  readonly createRepositoryOnPush: boolean;
  /** Whether public repositories can be pulled from without signing in. */
  readonly anonymousPulls: boolean;
}

const defaults: SystemSettings = { createRepositoryOnPush: true, anonymousPulls: true };

/** All settings; those that nobody changed are the defaults. */
export async function getSystemSettings(queries: Queryable): Promise<SystemSettings> {
  const rows: { key: string; value: string }[] = await queries('system_settings').select(
    'system_settings.key',
    'system_settings.value',
  );
  return { ...defaults, ...Object.fromEntries(rows.map(({ key, value }) => [key, JSON.parse(value)])) };
}

/** What is left out stays as it is. The next request follows it. */
export async function changeSystemSettings(tx: Transaction, changes: Partial<SystemSettings>): Promise<void> {
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) continue;
    await tx('system_settings')
      .insert({ key, value: JSON.stringify(value) })
      .onConflict('key')
      .merge();
  }
}
