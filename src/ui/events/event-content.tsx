/** What an event changed, as it stands in the trail: each name with its value. */
import styles from './events.module.css';

export function EventContent({ content, objectId }: { content: string; objectId: string }) {
  const values = valuesOf(content);
  if (values === undefined) return <span className={styles.content}>{content}</span>;
  // What it was is said before; its id says no more.
  const told = values.filter(([name, value]) => name !== 'id' || value !== objectId);
  if (told.length === 0) return null;
  return (
    <span className={styles.content}>
      {told.map(([name, value]) => (
        <span key={name} className={styles.value}>
          {name} <b>{value}</b>
        </span>
      ))}
    </span>
  );
}

/** `undefined` where it is no JSON of an object. */
function valuesOf(content: string): [name: string, value: string][] | undefined {
  try {
    const parsed: unknown = JSON.parse(content);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? flat(parsed, '')
      : undefined;
  } catch {
    return undefined;
  }
}

function flat(values: object, prefix: string): [name: string, value: string][] {
  return Object.entries(values).flatMap(([name, value]: [string, unknown]) => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return flat(value, `${prefix}${name}.`);
    }
    return [[`${prefix}${name}`, textOf(value)] satisfies [string, string]];
  });
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(textOf).join(', ');
  return typeof value === 'string' && value !== '' ? value : JSON.stringify(value);
}
