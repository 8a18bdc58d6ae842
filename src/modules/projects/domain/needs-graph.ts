/** Component name → the names of what it needs. */
export type Needs = Readonly<Record<string, readonly string[]>>;

/** The first cycle found, as `[a, b, a]`; undefined when there is none. Names outside the graph are ignored. */
export function findCycle(needs: Needs): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (name: string): string[] | undefined => {
    const seen = path.indexOf(name);
    if (seen >= 0) return [...path.slice(seen), name];
    if (done.has(name)) return undefined;
    path.push(name);
    for (const next of needs[name] ?? []) {
      const cycle = visit(next);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    done.add(name);
    return undefined;
  };
  for (const name of Object.keys(needs)) {
    const cycle = visit(name);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/** All names, each after everything that it needs; ties in the given order. A cycle's members come in the given order. */
export function startOrder(needs: Needs): string[] {
  const order: string[] = [];
  const visited = new Set<string>();
  const visit = (name: string): void => {
    if (visited.has(name)) return;
    visited.add(name);
    for (const next of needs[name] ?? []) if (Object.hasOwn(needs, next)) visit(next);
    order.push(name);
  };
  for (const name of Object.keys(needs)) visit(name);
  return order;
}

/** The given names and everything they need, directly or not. */
export function withNeeds(names: readonly string[], needs: Needs): Set<string> {
  const result = new Set<string>();
  const visit = (name: string): void => {
    if (result.has(name)) return;
    result.add(name);
    for (const next of needs[name] ?? []) visit(next);
  };
  for (const name of names) visit(name);
  return result;
}

/** The components that need `name`, directly. */
export function dependantsOf(name: string, needs: Needs): string[] {
  return Object.keys(needs).filter((other) => needs[other]?.includes(name));
}
