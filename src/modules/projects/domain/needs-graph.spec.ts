import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { dependantsOf, findCycle, startOrder, withNeeds } from './needs-graph.js';

describe('the graph of needs', () => {
  it('finds a cycle and names its members in order', () => {
    expect(findCycle({ a: ['b'], b: ['c'], c: ['a'] })).toEqual(['a', 'b', 'c', 'a']);
    expect(findCycle({ a: ['b', 'c'], b: ['c'], c: [] })).toBeUndefined();
  });

  it('starts each component after all that it needs', () => {
    const acyclic = fc
      .array(fc.array(fc.nat(20), { maxLength: 4 }), { maxLength: 12 })
      .map((rows) =>
        Object.fromEntries(rows.map((row, index) => [`c${index}`, row.filter((need) => need < index).map((need) => `c${need}`)])),
      );
    fc.assert(
      fc.property(acyclic, (needs) => {
        expect(findCycle(needs)).toBeUndefined();
        const order = startOrder(needs);
        expect([...order].sort()).toEqual(Object.keys(needs).sort());
        for (const name of order) for (const need of needs[name] ?? []) expect(order.indexOf(need)).toBeLessThan(order.indexOf(name));
      }),
    );
  });

  it('knows what a component pulls in and who depends on it', () => {
    const needs = { db: [], cache: [], web: ['db', 'cache'], worker: ['web'] };
    expect([...withNeeds(['worker'], needs)].sort()).toEqual(['cache', 'db', 'web', 'worker']);
    expect(dependantsOf('db', needs)).toEqual(['web']);
  });
});
