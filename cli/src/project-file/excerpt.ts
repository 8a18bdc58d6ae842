/** The line of a text and a mark under its column, with the line before it. Lines and columns count from 1. */
export function excerptOf(text: string, line: number, column: number): string {
  const lines = text.split(/\r?\n/);
  const width = String(line).length;
  const show = (number: number): string =>
    `${String(number).padStart(width)} | ${(lines[number - 1] ?? '').replaceAll('\t', '→').slice(0, 120)}`;
  const before = line > 1 ? [show(line - 1)] : [];
  return [...before, show(line), `${' '.repeat(width)} | ${' '.repeat(Math.min(column, 120) - 1)}^`].join('\n');
}
