/** Tables of text. */
import { cutTo, printable, widthOf } from './printable.ts';

const gap = '  ';
const narrowest = 8;

/** @param width the columns of the terminal; without it nothing is cut */
export function formatTable(rows: readonly (readonly string[])[], width?: number): string {
  const cells = rows.map((row) => row.map(printable));
  const widths = fit(
    (cells[0] ?? []).map((_, column) =>
      cells.reduce((widest, row) => Math.max(widest, widthOf(row[column] as string)), 0),
    ),
    width,
  );
  return cells
    .map((row) =>
      row
        .map((cell, column) => pad(cell, widths[column] as number))
        .join(gap)
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** Takes from the widest column, again and again, until the row fits or no column has anything left to give. */
function fit(widths: number[], width: number | undefined): number[] {
  if (width === undefined) return widths;
  const fitted = [...widths];
  let excess = fitted.reduce((sum, one) => sum + one, 0) + gap.length * (fitted.length - 1) - width;
  while (excess > 0) {
    const widest = Math.max(...fitted);
    if (widest <= narrowest) break;
    fitted[fitted.indexOf(widest)] = widest - 1;
    excess -= 1;
  }
  return fitted;
}

function pad(cell: string, width: number): string {
  const cut = cutTo(cell, width);
  return cut + ' '.repeat(Math.max(0, width - widthOf(cut)));
}
