/** Sizes as people read them. */

const units = ['KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `1536` is `1.5 KiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit: string = 'bytes';
  for (const next of units) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)} ${unit}`;
}

const bytesPer = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 } as const;

/** Bytes of a size such as `500GiB`, `500G` or a bare number of bytes. `undefined` when the text is none above zero. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d{1,15})\s?(?:([KMGT])(?:i?B)?)?$/.exec(text);
  if (match === null) return undefined;
  const bytes = Number(match[1]) * bytesPer[(match[2] ?? '') as keyof typeof bytesPer];
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : undefined;
}
