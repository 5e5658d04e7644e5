/** Short notices: shown for a while, and said by screen readers. */
export interface Announcement {
  readonly id: number;
  readonly text: string;
}

let nextId = 1;
let shown: readonly Announcement[] = [];
const listeners = new Set<() => void>();

export function say(text: string): void {
  const announcement = { id: nextId, text };
  nextId += 1;
  set([...shown, announcement]);
  setTimeout(() => dismiss(announcement.id), 5_000);
}

function dismiss(id: number): void {
  set(shown.filter((one) => one.id !== id));
}

export function currentAnnouncements(): readonly Announcement[] {
  return shown;
}

export function onAnnouncement(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function set(next: readonly Announcement[]): void {
  shown = next;
  for (const listener of listeners) listener();
}
