/** Compares dotted versions by their numbers, part by part; what is not a number compares as text. Newest sorts last. */
export function compareVersions(a: string, b: string): number {
  const left = a.split(/[.-]/);
  const right = b.split(/[.-]/);
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const order = compareParts(left[index], right[index]);
    if (order !== 0) return order;
  }
  return 0;
}

function compareParts(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  const [x, y] = [Number(a), Number(b)];
  if (Number.isNaN(x) || Number.isNaN(y)) return a < b ? -1 : a > b ? 1 : 0;
  return x - y;
}

/**
 * Whether a version meets a constraint: itself ("17"), a prefix of it ("3" for "3.2"), "latest", "*", or comparisons
 * that must all hold (">=15 <18"). Undefined when the constraint cannot be read.
 */
export function meetsConstraint(version: string, constraint: string): boolean | undefined {
  const text = constraint.trim();
  if (text === '' || text === '*' || text === 'latest') return true;
  const parts = text.split(/\s+/);
  let meets = true;
  for (const part of parts) {
    const match = /^(>=|<=|>|<|=)?v?([0-9A-Za-z][\w.-]*)$/.exec(part);
    if (match === null) return undefined;
    meets &&= meetsPart(version, match[1] ?? '', match[2] ?? '');
  }
  return meets;
}

function meetsPart(version: string, operator: string, wanted: string): boolean {
  const isPrefix = version === wanted || version.startsWith(`${wanted}.`);
  const order = compareVersions(version, wanted);
  switch (operator) {
    case '>=':
      return order >= 0;
    case '<=':
      return order <= 0 || isPrefix;
    case '>':
      return order > 0 && !isPrefix;
    case '<':
      return order < 0;
    default:
      return isPrefix;
  }
}
