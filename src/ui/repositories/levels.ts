/** What the levels of access allow. */
import type { Schemas } from '../api/client.ts';

export type Level = Schemas['AccessLevel'];

export const levels: readonly { value: Level; label: string }[] = [
  { value: 'read-only', label: 'Read only' },
  { value: 'read-write', label: 'Read and write' },
  { value: 'admin', label: 'Admin' },
];

export const levelsExplained =
  'Read only: pull. Read and write: push and delete tags, too. Admin: change settings and access, too.';
