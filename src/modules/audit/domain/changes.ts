/** The two sides of a change, each with what differs only; a side is absent when it has nothing of its own. */
export interface Changes {
  before?: unknown;
  after?: unknown;
}

/** What differs between two JSON values. Objects are compared key by key, at every depth; lists and plain values as a whole. */
export function changesBetween(before: unknown, after: unknown): Changes {
  if (same(before, after)) return {};
  if (!isObject(before) || !isObject(after)) {
    return { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
  }
  const sides: { before: Record<string, unknown>; after: Record<string, unknown> } = { before: {}, after: {} };
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const inner = changesBetween(before[key], after[key]);
    if (inner.before !== undefined) sides.before[key] = inner.before;
    if (inner.after !== undefined) sides.after[key] = inner.after;
  }
  return {
    ...(Object.keys(sides.before).length === 0 ? {} : { before: sides.before }),
    ...(Object.keys(sides.after).length === 0 ? {} : { after: sides.after }),
  };
}

function same(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((item, index) => same(item, other[index]));
  if (!isObject(one) || !isObject(other)) return false;
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].every((key) => same(one[key], other[key]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
