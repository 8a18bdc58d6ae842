import { describe, expect, it } from '@jest/globals';
import { compileVarsSchema, validateVars } from './vars-validator.js';

const varsSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  additionalProperties: false,
  required: ['PACKAGE', 'PASSWORD'],
  properties: {
    PACKAGE: { type: 'string', description: 'The package to run' },
    DB: { type: 'string', description: 'Database', pattern: '^[a-z]+$', default: 'app' },
    CONNECTIONS: { type: 'integer', description: 'How many', minimum: 1, default: 100 },
    FAST: { type: 'boolean', description: 'Whether to hurry' },
    MODE: { enum: ['a', 'b'], description: 'How', type: 'string' },
    PASSWORD: { type: 'string', description: 'Secret', minLength: 8, writeOnly: true, 'x-hithe-generate': 'password' },
  },
};
const port = { name: 'thing', varsSchema };

describe('validateVars', () => {
  it('gives text with defaults, and lists what has to be generated', () => {
    const result = validateVars(port, { PACKAGE: 'left-pad', CONNECTIONS: '7', FAST: true });
    expect(result.faults).toEqual([]);
    expect(result.values).toEqual({ PACKAGE: 'left-pad', DB: 'app', CONNECTIONS: '7', FAST: 'true' });
    expect(result.generate).toEqual([{ name: 'PASSWORD', kind: 'password' }]);
  });

  it('generates nothing that was set', () => {
    expect(validateVars(port, { PACKAGE: 'x', PASSWORD: 'long enough' }).generate).toEqual([]);
  });

  it('names the place and the mend of each fault', () => {
    const { faults } = validateVars(port, { CONNECTIONS: 'many', MODE: 'c', DATABASE: 'x', DB: '1' }, 'components.web.vars');
    const byPath = Object.fromEntries(faults.map((fault) => [fault.path, fault]));
    expect(byPath['components.web.vars.PACKAGE']).toMatchObject({
      code: 'VAR_MISSING',
      fix: 'Set vars.PACKAGE: string. The package to run',
    });
    expect(byPath['components.web.vars.CONNECTIONS']).toMatchObject({ code: 'VAR_TYPE', message: 'CONNECTIONS must be integer.' });
    expect(byPath['components.web.vars.MODE']).toMatchObject({ code: 'VAR_INVALID', message: 'MODE must be one of a, b.' });
    expect(byPath['components.web.vars.DB']?.message).toContain('must match pattern');
    expect(byPath['components.web.vars.DATABASE']).toMatchObject({ code: 'VAR_UNKNOWN' });
    expect(byPath['components.web.vars.DATABASE']?.fix).toContain('CONNECTIONS');
    expect(faults).toHaveLength(5);
  });

  it('never repeats a value, which may be a secret', () => {
    const { faults } = validateVars(port, { PACKAGE: 'x', PASSWORD: 'hunter2' });
    expect(faults).toHaveLength(1);
    expect(JSON.stringify(faults)).not.toContain('hunter2');
  });

  it('does not change what it was given', () => {
    const vars = { PACKAGE: 'x' };
    validateVars(port, vars);
    expect(vars).toEqual({ PACKAGE: 'x' });
  });
});

describe('compileVarsSchema', () => {
  it('refuses a misspelt keyword in a schema of ours, and lets foreign ones have it', () => {
    const schema = { type: 'object', properties: { A: { type: 'string', defualt: 'x' } } };
    expect(() => compileVarsSchema(schema)).toThrow('defualt');
    expect(() => compileVarsSchema({ ...schema }, false)).not.toThrow();
  });
});
