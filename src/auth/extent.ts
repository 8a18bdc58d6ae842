/** A set of ids: the listed ones, or all but the listed ones. */
export interface IdSet {
  readonly except: boolean;
  readonly ids: ReadonlySet<string>;
}

/** Which things of one kind in one team a right reaches: those that are not protected, and those that are. */
export interface Extent {
  readonly open: IdSet;
  readonly guarded: IdSet;
}

export const NONE: IdSet = { except: false, ids: new Set() };
export const ALL: IdSet = { except: true, ids: new Set() };
export const NOWHERE: Extent = { open: NONE, guarded: NONE };
export const EVERYWHERE: Extent = { open: ALL, guarded: ALL };

/** The set of exactly these ids. */
export function only(ids: Iterable<string>): IdSet {
  return { except: false, ids: new Set(ids) };
}

/** All but these ids. */
export function allBut(ids: Iterable<string>): IdSet {
  return { except: true, ids: new Set(ids) };
}

/** Whether nothing is in the set. */
export function isEmpty(set: IdSet): boolean {
  return !set.except && set.ids.size === 0;
}

/** What is in either set. */
export function unionOf(a: IdSet, b: IdSet): IdSet {
  if (!a.except && !b.except) return only([...a.ids, ...b.ids]);
  if (a.except && b.except) return allBut([...a.ids].filter((id) => b.ids.has(id)));
  const [outside, inside] = a.except ? [a, b] : [b, a];
  return allBut([...outside.ids].filter((id) => !inside.ids.has(id)));
}

/** What is in `a` and not in `b`. */
export function without(a: IdSet, b: IdSet): IdSet {
  if (!a.except && !b.except) return only([...a.ids].filter((id) => !b.ids.has(id)));
  if (a.except && b.except) return only([...b.ids].filter((id) => !a.ids.has(id)));
  if (a.except) return allBut([...a.ids, ...b.ids]);
  return only([...a.ids].filter((id) => b.ids.has(id)));
}

/** What is in both sets. */
export function intersectionOf(a: IdSet, b: IdSet): IdSet {
  return without(a, without(ALL, b));
}

/** The same of both halves of two extents. */
export function combine(a: Extent, b: Extent, operation: (a: IdSet, b: IdSet) => IdSet): Extent {
  return { open: operation(a.open, b.open), guarded: operation(a.guarded, b.guarded) };
}

/** Whether all of `inner` is in `outer`. */
export function reaches(outer: Extent, inner: Extent): boolean {
  const rest = combine(inner, outer, without);
  return isEmpty(rest.open) && isEmpty(rest.guarded);
}

/** Whether two sets are the same. */
export function sameIds(a: IdSet, b: IdSet): boolean {
  return isEmpty(without(a, b)) && isEmpty(without(b, a));
}
