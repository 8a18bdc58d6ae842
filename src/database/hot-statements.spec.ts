import { describe, expect, it } from '@jest/globals';
import { HotStatements } from './hot-statements.js';

function ask(statements: HotStatements, text: string, times: number): string | undefined {
  let name: string | undefined;
  for (let time = 0; time < times; time += 1) name = statements.nameOf(text);
  return name;
}

describe('HotStatements', () => {
  it('names what is asked often, and keeps the name', () => {
    const statements = new HotStatements();
    expect(ask(statements, 'SELECT 1', 19)).toBeUndefined();
    const name = statements.nameOf('SELECT 1');
    expect(name).toMatch(/^hithe_\d+$/);
    expect(ask(statements, 'SELECT 1', 5)).toBe(name);
    expect(ask(statements, 'SELECT 2', 20)).not.toBe(name);
  });

  it('leaves out what may change its columns, and what is no query', () => {
    const statements = new HotStatements();
    expect(ask(statements, 'SELECT * FROM users', 50)).toBeUndefined();
    expect(ask(statements, 'LISTEN changed', 50)).toBeUndefined();
  });

  it('names a bounded number', () => {
    const statements = new HotStatements();
    const names = Array.from({ length: 300 }, (_, index) => ask(statements, `SELECT ${String(index)}`, 20));
    expect(names.filter((name) => name !== undefined)).toHaveLength(100);
  });
});
