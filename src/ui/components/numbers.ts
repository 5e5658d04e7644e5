/** Numbers as people read them. */
const count = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat();
const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** `12.4 MB`: decimal, as docker says it. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  const value = bytes / 1_000 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${units[power]}`;
}

/** `1.2K`. */
export function formatCount(number: number): string {
  return count.format(number);
}

/** `1,234`. */
export function formatWhole(number: number): string {
  return whole.format(number);
}

/** `1 tag`, `2 tags`. */
export function plural(number: number, one: string, many = `${one}s`): string {
  return `${formatWhole(number)} ${number === 1 ? one : many}`;
}
