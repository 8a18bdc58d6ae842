import { stripVTControlCharacters } from 'node:util';
import { isSafe, sanitizeLine } from './sanitize.js';

const GAP = '  ';

/**
 * Lines of left-aligned columns, as wide as their widest cell; colour codes take no width. The last column is not padded. Control
 * characters in a cell are made visible: names come from others.
 */
export function columns(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map((cell) => (isSafe(cell) ? cell : sanitizeLine(cell, true))));
  const widths: number[] = [];
  for (const row of rows) for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, widthOf(cell));
  const lines = rows.map((row) => row.map((cell, index) => pad(cell, index === row.length - 1 ? 0 : (widths[index] ?? 0))).join(GAP));
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

/** How many cells of a terminal a text of ordinary characters takes. */
export function widthOf(text: string): number {
  return Array.from(stripVTControlCharacters(text)).length;
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}
