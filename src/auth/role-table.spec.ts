import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Action, AbilityFactory, type SubjectName, type Subjects, mayDo } from './ability.js';
import { type Principal, TEAM_ROLES } from './actor.js';
import { ALL_ROWS, ROLE_TABLE, TABLE_ROLES, cellText, tableAsMarkdown } from './role-table.js';
import { tablePolicy } from './table-rules.js';

/** A copy of the table as it was designed, written by hand: a change of the code alone does not change what is promised. */
const pinned = readFileSync(join(import.meta.dirname, '../../test/fixtures/role-table.md'), 'utf8');
const cellsOf = (markdown: string) =>
  markdown
    .trim()
    .split('\n')
    .filter((line) => !/^\|\s*-/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

const SUBJECTS = ['User', 'Team', 'Project', 'AuditEvent', 'Node', 'Platform'] as const;
const factory = new AbilityFactory(SUBJECTS.map((subject) => tablePolicy(subject)));
const someone = (given: Partial<Principal>): Principal => ({
  userId: 'me',
  email: 'me@example.org',
  platformAdmin: false,
  memberships: [],
  ...given,
});

describe('the role table', () => {
  it('R28: is the pinned one, cell by cell', () => {
    const [head, ...rows] = cellsOf(pinned);
    expect(head?.slice(1)).toEqual(TABLE_ROLES.map((role) => role.replaceAll('-', ' ')));
    for (const [index, row] of rows.entries()) {
      const [title, ...cells] = row;
      const ours = ROLE_TABLE[index];
      expect(ours?.title).toBe(title);
      for (const [column, role] of TABLE_ROLES.entries())
        expect({ title, role, cell: ours === undefined ? undefined : cellText(ours.cells[role]) }).toEqual({
          title,
          role,
          cell: cells[column],
        });
    }
    expect(ROLE_TABLE).toHaveLength(rows.length);
  });

  it('is the same when it is rendered', () => {
    expect(cellsOf(tableAsMarkdown(ROLE_TABLE))).toEqual(cellsOf(pinned));
  });

  it('names each pair of action and kind of thing once, and each row by another id', () => {
    const pairs = ALL_ROWS.flatMap((row) =>
      Object.entries(row.rights).flatMap(([subject, actions]) => actions.map((action) => `${action} ${subject}`)),
    );
    expect(new Set(pairs).size).toBe(pairs.length);
    expect(new Set(ALL_ROWS.map((row) => row.id)).size).toBe(ALL_ROWS.length);
  });
});

/** What the cells of a pinned row mean for a project of one's team that is not protected, for one that is, and for one of another team. */
const MEANING: Record<string, { open: boolean; guarded: boolean }> = {
  '✓': { open: true, guarded: true },
  '✓; a protected project by list': { open: true, guarded: false },
  unprotected: { open: true, guarded: false },
  '': { open: false, guarded: false },
};

describe('the rules that follow from the table', () => {
  const project = (teamId: string, isProtected: boolean) => ({ id: 'p1', teamId, protected: isProtected });
  const may = <S extends SubjectName>(principal: Principal, action: Action, subject: S, row: Subjects[S]) =>
    mayDo({ ability: factory.for(principal) }, action, subject, row);

  const ROWS: [row: string, action: Action][] = [
    ['deploy, start, stop, rollback, restart, snapshot', 'deploy'],
    ['deploy, start, stop, rollback, restart, snapshot', 'operate'],
    ['deploy, start, stop, rollback, restart, snapshot', 'update'],
    ['restore data, downgrade', 'restore'],
    ['set secrets', 'write-secrets'],
    ['reveal secrets', 'reveal-secrets'],
    ['exec / terminal', 'exec'],
  ];

  it.each(ROWS)('%s: %s', (title, action) => {
    const row = cellsOf(pinned).find((cells) => cells[0] === title) ?? [];
    for (const role of TEAM_ROLES) {
      const principal = someone({ memberships: [{ teamId: 't1', role }] });
      const meaning = MEANING[row[1 + TABLE_ROLES.indexOf(role)] ?? '?'];
      const answer = {
        open: may(principal, action, 'Project', project('t1', false)),
        guarded: may(principal, action, 'Project', project('t1', true)),
      };
      expect({ role, ...answer }).toEqual({ role, ...meaning });
      expect(may(principal, action, 'Project', project('t2', false))).toBe(false);
    }
  });

  it('let auditors see projects, and not what they log', () => {
    const auditor = someone({ memberships: [{ teamId: 't1', role: 'auditor' }] });
    expect(may(auditor, 'read', 'Project', project('t1', true))).toBe(true);
    expect(may(auditor, 'read-logs', 'Project', project('t1', true))).toBe(false);
    expect(may(auditor, 'export', 'AuditEvent', { teamId: 't1', actorId: 'x', scope: 'team' })).toBe(true);
    expect(may(auditor, 'read', 'AuditEvent', { teamId: 't2', actorId: 'x', scope: 'team' })).toBe(false);
  });

  it('let developers see the events of their own doing', () => {
    const developer = someone({ memberships: [{ teamId: 't1', role: 'developer' }] });
    expect(may(developer, 'read', 'AuditEvent', { teamId: 't1', actorId: 'me', scope: 'team' })).toBe(true);
    expect(may(developer, 'export', 'AuditEvent', { teamId: 't1', actorId: 'me', scope: 'team' })).toBe(false);
    expect(may(developer, 'read', 'AuditEvent', { teamId: 't1', actorId: 'x', scope: 'team' })).toBe(false);
    expect(may(developer, 'create', 'Project', project('t1', false))).toBe(true);
    expect(may(developer, 'delete', 'Project', project('t1', false))).toBe(false);
  });

  it('let platform administrators run the platform, and see no team’s logs and secrets', () => {
    const admin = someone({ platformAdmin: true });
    for (const subject of ['User', 'Node', 'Platform'] as const) expect(factory.for(admin).can('update', subject)).toBe(true);
    for (const action of ['read', 'delete', 'transfer', 'manage-quota', 'break-glass'] as const)
      expect({ action, may: may(admin, action, 'Team', { id: 't1' }) }).toEqual({ action, may: true });
    for (const action of ['manage-members', 'manage-roles', 'manage-tokens', 'update'] as const)
      expect({ action, may: may(admin, action, 'Team', { id: 't1' }) }).toEqual({ action, may: false });
    expect(may(admin, 'read', 'Project', project('t1', true))).toBe(true);
    for (const action of [
      'read-logs',
      'deploy',
      'operate',
      'update',
      'delete',
      'create',
      'reveal-secrets',
      'write-secrets',
      'exec',
      'restore',
      'protect',
    ] as const)
      expect({ action, may: may(admin, action, 'Project', project('t1', false)) }).toEqual({ action, may: false });
    expect(may(admin, 'export', 'AuditEvent', { teamId: '', actorId: '', scope: 'platform' })).toBe(true);
    expect(may(admin, 'read', 'AuditEvent', { teamId: 't1', actorId: '', scope: 'team' })).toBe(false);
  });

  it('let them reveal and exec in a team whose glass they broke, and nothing else', () => {
    const admin = someone({ platformAdmin: true, breakGlass: { t1: 'case' } });
    for (const action of ['reveal-secrets', 'exec'] as const) {
      expect(may(admin, action, 'Project', project('t1', true))).toBe(true);
      expect(may(admin, action, 'Project', project('t2', false))).toBe(false);
      expect(may(someone({ breakGlass: { t1: 'case' } }), action, 'Project', project('t1', false))).toBe(false);
    }
    for (const action of ['read-logs', 'deploy', 'write-secrets'] as const)
      expect(may(admin, action, 'Project', project('t1', false))).toBe(false);
  });

  it('add a grant to the role in the team', () => {
    const grant = (role: 'admin' | 'developer' | 'viewer') =>
      someone({ memberships: [{ teamId: 't1', role: 'developer' }], grants: [{ teamId: 't1', projectId: 'p1', role }] });
    expect(may(grant('developer'), 'deploy', 'Project', project('t1', true))).toBe(true);
    expect(may(grant('developer'), 'write-secrets', 'Project', project('t1', true))).toBe(false);
    expect(may(grant('admin'), 'write-secrets', 'Project', project('t1', true))).toBe(true);
    expect(may(grant('admin'), 'deploy', 'Project', { ...project('t1', true), id: 'p2' })).toBe(false);
    expect(may(grant('viewer'), 'deploy', 'Project', project('t1', false))).toBe(true);
    expect(may(grant('admin'), 'deploy', 'Project', project('t2', false))).toBe(false);
  });

  it('are few, whatever the number of teams', () => {
    const memberships = Array.from({ length: 400 }, (_, index) => ({
      teamId: `t${index}`,
      role: TEAM_ROLES[index % TEAM_ROLES.length] ?? ('viewer' as const),
    }));
    const grants = Array.from({ length: 400 }, (_, index) => ({ teamId: `t${index}`, projectId: `p${index}`, role: 'developer' as const }));
    expect(factory.for(someone({ memberships, grants })).rules.length).toBeLessThan(25);
  });

  it('have no rule that takes away: what is added never takes', () => {
    const principal = someone({ platformAdmin: true, memberships: [{ teamId: 't1', role: 'owner' }] });
    expect(factory.for(principal).rules.filter((rule) => rule.inverted === true)).toEqual([]);
  });
});
