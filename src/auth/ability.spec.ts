import { describe, expect, it } from '@jest/globals';
import { AbilityFactory, type Policy, authorize, mayDo } from './ability.js';
import { abilityToSql } from './ability-query.js';
import { type Principal, type TeamRole, isAtLeast, roleIn } from './actor.js';

const principal: Principal = {
  userId: 'u1',
  email: 'ada@example.org',
  platformAdmin: false,
  memberships: [
    { teamId: 't1', role: 'owner' },
    { teamId: 't2', role: 'developer' },
    { teamId: 't3', role: 'viewer' },
  ],
};

const teamsWithRole = (who: Principal, atLeast: TeamRole) =>
  who.memberships.filter((membership) => isAtLeast(membership.role, atLeast)).map((membership) => membership.teamId);

const policy: Policy = (rules, who) => {
  rules.can('read', 'Project', { teamId: { $in: teamsWithRole(who, 'viewer') } });
  rules.can('deploy', 'Project', { teamId: { $in: teamsWithRole(who, 'developer') } });
  rules.can('delete', 'Project', { teamId: { $in: teamsWithRole(who, 'admin') } });
  rules.cannot('delete', 'Project', { id: 'precious' });
};

const actor = { ability: new AbilityFactory([policy]).for(principal) };
const named = { what: 'project', id: 'p1' };
const project = (teamId: string, id = 'p1') => ({ id, teamId, protected: false });

describe('roles', () => {
  it('include the weaker ones', () => {
    expect(isAtLeast('owner', 'viewer')).toBe(true);
    expect(isAtLeast('viewer', 'developer')).toBe(false);
    expect(isAtLeast('auditor', 'developer')).toBe(false);
    expect(isAtLeast('custom', 'developer')).toBe(false);
    expect(roleIn(principal, 't4')).toBeUndefined();
  });
});

describe('abilities', () => {
  it('are denied unless a policy allows', () => {
    const nobody = { ability: new AbilityFactory([]).for(principal) };
    expect(mayDo(nobody, 'read', 'Project', project('t1'))).toBe(false);
    expect(nobody.ability.can('read', 'Team')).toBe(false);
  });

  it('do not mark the row that they look at', () => {
    const row = project('t1');
    mayDo(actor, 'read', 'Project', row);
    expect(Object.keys(row)).toEqual(['id', 'teamId', 'protected']);
  });

  it('authorize returns the row', () => {
    const row = project('t2');
    expect(authorize(actor, 'deploy', 'Project', row, named)).toBe(row);
  });

  it('authorize tells nobody whether another tenant’s row exists', () => {
    const messages = [null, undefined, project('t4')].map((row) => {
      try {
        authorize(actor, 'deploy', 'Project', row, named);
        return 'allowed';
      } catch (error) {
        return JSON.stringify(error);
      }
    });
    expect(new Set(messages).size).toBe(1);
    expect(messages[0]).toContain('PROJECT_NOT_FOUND');
  });

  it('authorize says forbidden for what one may see but not do', () => {
    expect(() => authorize(actor, 'deploy', 'Project', project('t3'), named)).toThrow(expect.objectContaining({ kind: 'forbidden' }));
  });

  it('a later cannot wins', () => {
    expect(mayDo(actor, 'delete', 'Project', project('t1'))).toBe(true);
    expect(mayDo(actor, 'delete', 'Project', project('t1', 'precious'))).toBe(false);
  });
});

describe('abilityToSql', () => {
  const sql = (action: 'read' | 'delete' | 'reveal-secrets') =>
    abilityToSql(actor.ability, action, 'Project', (attribute) => `project.${attribute}`);

  it('is the same condition in SQL', () => {
    expect(sql('read')).toEqual({ sql: '(project.teamId = ANY(:ability0))', parameters: { ability0: ['t1', 't2', 't3'] } });
  });

  it('takes out what a cannot takes out', () => {
    const { sql: text, parameters } = sql('delete');
    expect(text).toContain('NOT (project.id = :ability');
    expect(Object.values(parameters)).toEqual(expect.arrayContaining([['t1'], 'precious']));
  });

  it('knows "none of"', () => {
    const except: Policy = (rules) => {
      rules.can('read', 'Project', { id: { $nin: ['p1', 'p2'] }, protected: false });
    };
    const ability = new AbilityFactory([except]).for(principal);
    expect(abilityToSql(ability, 'read', 'Project', (attribute) => `project.${attribute}`)).toEqual({
      sql: '(NOT (project.id = ANY(:ability0)) AND project.protected = :ability1)',
      parameters: { ability0: ['p1', 'p2'], ability1: false },
    });
  });

  it('is FALSE without a rule', () => {
    expect(sql('reveal-secrets')).toEqual({ sql: 'FALSE', parameters: {} });
  });
});
