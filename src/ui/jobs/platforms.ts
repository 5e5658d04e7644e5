/** What somebody typed: one after another, with spaces or commas between. */
export function platformsIn(text: string): string[] {
  return text.split(/[\s,]+/).filter((platform) => platform !== '');
}
