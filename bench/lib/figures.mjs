/** Median and worst of some figures. */
export function summarise(figures) {
  const sorted = [...figures].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, worst: sorted.at(-1), best: sorted[0], runs: sorted.length };
}

/** Rows as aligned columns; the first column to the left, the others to the right. */
export function table(rows) {
  const widths = rows[0].map((_, index) => Math.max(...rows.map((row) => row[index].length)));
  return rows
    .map((row) => row.map((cell, index) => (index === 0 ? cell.padEnd(widths[index]) : cell.padStart(widths[index]))).join('  '))
    .join('\n');
}

export const ms = (value) => `${value.toFixed(0)} ms`;
export const seconds = (value) => `${(value / 1000).toFixed(2)} s`;
export const ratio = (value) => value.toFixed(2);
export const megabytes = (bytes) => `${(bytes / 1024 / 1024).toFixed(1)} MB`;

/** Which machine the figures are of. */
export async function machine() {
  const { cpus, totalmem, release } = await import('node:os');
  const [cpu] = cpus();
  return `${cpus().length} × ${cpu?.model.trim() ?? 'unknown CPU'}, ${megabytes(totalmem())}, Linux ${release()}, Node.js ${process.version}`;
}
