import { describe, expect, it } from '@jest/globals';
import { parse } from 'dotenv';
import fc from 'fast-check';
import { formatDotenv, parseDotenv } from './dotenv.js';
import { isWithin, parseReference } from './secret-reference.js';
import { nameFault, valueFault } from './variable-names.js';
import { type SetVariable, variablesFor } from './variable.js';

describe('.env files', () => {
  it('are read with comments, quotes, exports and several lines', () => {
    const text = ['# comment', '', 'A=plain # behind', "B='it''s'", 'C="two', 'lines"', 'export D = spaced ', 'E: yaml', 'F='].join('\n');
    expect(parseDotenv(text)).toEqual(parse(text));
    expect(parseDotenv(text)).toMatchObject({ A: 'plain', C: 'two\nlines', D: 'spaced', F: '' });
  });

  it.each([
    ['A=1\nnonsense\nB=2', 2],
    ['A="two\nlines"\nnonsense', 3],
    ['=x', 1],
  ])('are refused with the line that says nothing, never with its text: %j', (text, line) => {
    expect(() => parseDotenv(text)).toThrow(
      expect.objectContaining({ code: 'DOTENV_INVALID', faults: [expect.objectContaining({ path: `text, line ${line}` })] }),
    );
    try {
      parseDotenv(text);
    } catch (error) {
      expect(JSON.stringify(error)).not.toContain('nonsense');
    }
  });

  it('read back what was written, for any value that such a file can hold', () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(`'`, `"`, '`', '\n', '\\', '#', '$', ' ', 'n', '=') }),
    );
    fc.assert(
      fc.property(fc.array(value, { maxLength: 5 }), (values) => {
        const variables = Object.fromEntries(values.map((each, index) => [`V_${index}`, each]));
        const { text, unwritable } = formatDotenv(variables);
        const read = parse(text);
        for (const [name, each] of Object.entries(variables)) expect(read[name]).toBe(unwritable.includes(name) ? undefined : each);
      }),
      { numRuns: 500 },
    );
  });
});

describe('references', () => {
  it.each([
    ['vault:kv/hithe/acme/shop#api_key', { provider: 'vault', path: 'kv/hithe/acme/shop', key: 'api_key' }],
    ['vault:kv/hithe/acme/shop#api_key@3', { provider: 'vault', path: 'kv/hithe/acme/shop', key: 'api_key', version: 3 }],
    ['hithe:project#API_KEY', { provider: 'hithe', path: 'project', key: 'API_KEY' }],
  ])('are read: %s', (text, expected) => {
    expect(parseReference(text)).toEqual(expected);
  });

  it.each([
    'kv/hithe/acme/shop#api_key',
    'vault:kv/hithe/acme/shop',
    'vault:kv/../sys/raw#x',
    'vault:kv//x#y',
    'vault:/kv/x#y',
    'vault:kv/.hidden#y',
    'vault:kv/a%2Fb#y',
    'vault:kv/a?version=1#y',
    'vault:kv/x#y@0',
    'vault:kv/x#y@latest',
    'hithe:other#X',
    'aws:kv/x#y',
    'vault:kv/a b#y',
  ])('are refused: %s', (text) => {
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'SECRET_REFERENCE_INVALID' }));
  });

  it('stay within the directory of their team', () => {
    const team = { slug: 'acme', teamId: '0199a7c2' };
    const within = (text: string, template = 'kv/hithe/{team}') => isWithin(parseReference(text), template, team);
    expect(within('vault:kv/hithe/acme/shop#k')).toBe(true);
    expect(within('vault:kv/hithe/acme-2/shop#k')).toBe(false);
    expect(within('vault:kv/hithe/acme#k')).toBe(false);
    expect(within('vault:kv/0199a7c2/hithe/x#k', 'kv/{teamId}/hithe')).toBe(true);
  });
});

describe('variables', () => {
  it.each(['API_KEY', '_x', 'a1', 'HOSTNAME', 'NODE_ENV', 'PATHS'])('may be called %s', (name) => {
    expect(nameFault(name, 'name')).toBeUndefined();
  });

  it.each(['', '1A', 'A-B', 'A B', 'A=B', 'Ä', 'PATH', 'HITHE_X', 'LIBSCRIPT_X', 'LD_PRELOAD', 'DATA_DIR', 'PORT', 'x'.repeat(129), 'A\n'])(
    'may not be called %j',
    (name) => {
      expect(nameFault(name, 'name')).toMatchObject({ path: 'name', fix: expect.any(String) });
    },
  );

  it('hold 64 KiB, counted in bytes', () => {
    expect(valueFault('x'.repeat(65_536), 'value')).toBeUndefined();
    expect(valueFault('ä'.repeat(32_769), 'value')).toMatchObject({ code: 'VARIABLE_TOO_LARGE' });
  });

  it('of a component come before those of the project, which reach apps alone', () => {
    const all = [
      ['', 'A'],
      ['', 'B'],
      ['web', 'A'],
      ['db', 'C'],
    ].map(([component = '', name = '']): SetVariable => ({ component, name, version: 1, kind: 'plain', value: component }));
    const names = (component: string, takes: boolean) =>
      [...variablesFor(component, takes, all).values()].map((each) => `${each.component}.${each.name}`);
    expect(names('web', true)).toEqual(['web.A', '.B']);
    expect(names('db', false)).toEqual(['db.C']);
    expect(names('db', true)).toEqual(['.A', '.B', 'db.C']);
  });
});
