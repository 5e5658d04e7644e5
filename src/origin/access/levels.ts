/** Access levels, and what each lets one do. */

export type AccessLevel = 'read-only' | 'read-write' | 'admin';

/** The registry's actions on a repository (Docker token spec). */
export type Action = 'pull' | 'push' | 'delete';

const ascending: readonly AccessLevel[] = ['read-only', 'read-write', 'admin'];

/** Levels add up: nothing takes away what something else gave. */
export function highestLevel(levels: readonly (AccessLevel | undefined)[]): AccessLevel | undefined {
  return ascending.findLast((level) => levels.includes(level));
}

/** What a level lets one do in the registry. */
export function actionsOf(level: AccessLevel | undefined): readonly Action[] {
  switch (level) {
    case undefined:
      return [];
    case 'read-only':
      return ['pull'];
    case 'read-write':
    case 'admin':
      return ['pull', 'push', 'delete'];
  }
}
