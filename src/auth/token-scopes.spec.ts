import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ACTIONS, SUBJECT_NAMES } from './ability.js';
import { ALL_ROWS } from './role-table.js';
import { SCOPED_RIGHTS, SCOPE_NAMES, limitsOfScopes, parseScope, scopeFor, scopeText, scopesAsMarkdown } from './token-scopes.js';

describe('scopes', () => {
  it('each right has at most one', () => {
    const pairs = SCOPED_RIGHTS.map(({ action, subject }) => `${action} ${subject}`);
    expect(new Set(pairs).size).toBe(pairs.length);
  });

  it('are those of the role table: what its last column leaves empty, no token may', () => {
    for (const row of ALL_ROWS) {
      const cell = row.cells['machine-token'];
      const wanted = typeof cell === 'string' ? undefined : parseScope(cell.scope)?.name;
      for (const subject of SUBJECT_NAMES) {
        for (const action of row.rights[subject] ?? [])
          expect({ row: row.id, scope: scopeFor(action, subject) }).toEqual({ row: row.id, scope: wanted });
      }
    }
  });

  it('never cover what would make a stolen token permanent, or show a secret', () => {
    for (const action of ['manage-members', 'manage-roles', 'manage-tokens', 'transfer', 'delete', 'break-glass'] as const)
      expect(scopeFor(action, 'Team')).toBeUndefined();
    for (const action of ['reveal-secrets', 'exec', 'protect', 'restore', 'create', 'delete'] as const)
      expect(scopeFor(action, 'Project')).toBeUndefined();
    for (const action of ACTIONS.filter((each) => each !== 'read')) expect(scopeFor(action, 'User')).toBeUndefined();
    for (const action of ACTIONS) expect([scopeFor(action, 'Platform'), scopeFor(action, 'Node')]).toEqual([undefined, undefined]);
  });

  it('are shown in docs/api-tokens.md as they are here', () => {
    const text = readFileSync(join(import.meta.dirname, '../../docs/api-tokens.md'), 'utf8').replaceAll(/ +/g, ' ');
    const [, table = ''] = /<!-- scopes: [^\n]*\n([^]*?)<!-- end of scopes -->/.exec(text) ?? [];
    expect(table.trim().split('\n').slice(2)).toEqual(scopesAsMarkdown());
  });

  it('are read and written in one form', () => {
    for (const name of SCOPE_NAMES) {
      expect(parseScope(name)).toEqual({ name });
      expect(parseScope(`${name}:crew/shop`)).toEqual({ name, project: 'crew/shop' });
      expect(scopeText({ name, project: 'p1' })).toBe(`${name}:p1`);
    }
    for (const wrong of ['', 'write', 'deploy:', 'read ', 'secret', 'admin:p1']) expect(parseScope(wrong)).toBeUndefined();
  });

  it('become limits of their project, their team and their owner', () => {
    const limits = limitsOfScopes(['deploy:p1', 'read'], { userId: 'u1', teamId: 't1' });
    expect(limits).toContainEqual({ action: 'deploy', subject: 'Project', conditions: { id: 'p1', teamId: 't1' } });
    expect(limits).toContainEqual({ action: 'read', subject: 'Team', conditions: { id: 't1' } });
    expect(limits).toContainEqual({ action: 'read', subject: 'User', conditions: { id: 'u1' } });
    expect(limits).toContainEqual({ action: 'read', subject: 'Port' });
    expect(limitsOfScopes(['deploy'], { userId: 'u1', teamId: null })).toContainEqual({ action: 'deploy', subject: 'Project' });
    expect(limitsOfScopes([], { userId: 'u1', teamId: null })).toEqual([]);
  });
});
