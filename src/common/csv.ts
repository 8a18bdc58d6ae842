/** What spreadsheets take for a formula. */
const FORMULA = /^[=+\-@\t\r]/;

/** Cells as one line of CSV (RFC 4180), without its end; null is an empty cell. */
export function csvLine(cells: readonly (string | number | null)[]): string {
  return cells.map(csvCell).join(',');
}

/** A cell that no spreadsheet runs: what would be a formula starts with an apostrophe. */
export function csvCell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n']/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
