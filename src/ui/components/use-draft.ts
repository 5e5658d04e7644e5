/**
 * What was typed and is not saved yet. It is kept for the tab, so that it outlives a reload and a new sign-in; only what
 * differs is, so that what others changed meanwhile shows.
 */
import { useEffect, useMemo, useState } from 'react';
import { sessionStore } from '../session/session-store.ts';

export interface Draft<T> {
  readonly value: T;
  readonly isDirty: boolean;
  change(patch: Partial<T>): void;
  /** After it was saved, or to go back to what is. */
  clear(): void;
}

/** `key` names the form; nothing secret may be in it. */
export function useDraft<T extends object>(key: string, saved: T): Draft<T> {
  const place = `draft:${sessionStore.current?.account.id}:${key}`;
  const [patch, setPatch] = useState<Partial<T>>(() => read<T>(place));
  useEffect(() => {
    if (Object.keys(patch).length === 0) sessionStorage.removeItem(place);
    else sessionStorage.setItem(place, JSON.stringify(patch));
  }, [place, patch]);
  return useMemo(() => {
    const isDirty = (Object.keys(patch) as (keyof T)[]).some((name) => patch[name] !== saved[name]);
    return {
      value: { ...saved, ...patch },
      isDirty,
      change: (more) => setPatch((so) => ({ ...so, ...more })),
      clear: () => setPatch({}),
    };
  }, [patch, saved]);
}

function read<T>(place: string): Partial<T> {
  try {
    return JSON.parse(sessionStorage.getItem(place) ?? '{}') as Partial<T>;
  } catch {
    return {};
  }
}
