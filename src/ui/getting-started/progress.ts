/** Whether this browser's user is being led through the first pull, or has had enough of it. */
export type Leading = 'begun' | 'dismissed';

export function leadingOf(accountId: string): Leading | undefined {
  const kept = localStorage.getItem(placeOf(accountId));
  return kept === 'begun' || kept === 'dismissed' ? kept : undefined;
}

export function keepLeading(accountId: string, leading: Leading): void {
  localStorage.setItem(placeOf(accountId), leading);
}

function placeOf(accountId: string): string {
  return `getting-started:${accountId}`;
}
