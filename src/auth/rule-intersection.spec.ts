import { describe, expect, it } from '@jest/globals';
import { createMongoAbility, subject } from '@casl/ability';
import fc from 'fast-check';
import { ACTIONS, type Action, type AppAbility, SUBJECT_NAMES, type SubjectName } from './ability.js';
import { abilityToSql } from './ability-query.js';
import { type AbilityRule, type Limit, limitAbility, limitRules } from './rule-intersection.js';

const abilityOf = (rules: AbilityRule[]): AppAbility => createMongoAbility<AppAbility>(rules);

describe('limitRules', () => {
  it('keeps of a rule what a limit covers, with the conditions of both', () => {
    const rules: AbilityRule[] = [{ action: ['read', 'deploy'], subject: 'Project', conditions: { teamId: { $in: ['t1', 't2'] } } }];
    expect(limitRules(rules, [{ action: 'deploy', subject: 'Project', conditions: { teamId: 't2', id: 'p1' } }])).toEqual([
      { action: 'deploy', subject: 'Project', conditions: { teamId: 't2', id: 'p1' } },
    ]);
    expect(limitRules(rules, [{ action: 'deploy', subject: 'Project', conditions: { teamId: 't3' } }])).toEqual([]);
    expect(limitRules(rules, [])).toEqual([]);
  });

  it('keeps what a rule takes away', () => {
    const rules: AbilityRule[] = [
      { action: 'read', subject: 'Project' },
      { action: 'read', subject: 'Project', conditions: { id: 'p1' }, inverted: true },
    ];
    const ability = limitAbility(abilityOf(rules), [{ action: 'read', subject: 'Project' }]);
    expect(ability.can('read', subject('Project', { id: 'p1' }))).toBe(false);
    expect(ability.can('read', subject('Project', { id: 'p2' }))).toBe(true);
  });

  it('reads "manage" and "all" as everything, and never gives them on', () => {
    const limited = limitRules([{ action: 'manage', subject: 'all' }], [{ action: 'read', subject: 'Node' }]);
    expect(limited).toEqual([{ action: 'read', subject: 'Node' }]);
    expect(limitRules([{ action: 'manage', subject: 'Node' }], [{ action: 'manage', subject: 'Node' }])).toEqual([]);
  });

  it('refuses conditions that it does not understand, rather than guess', () => {
    const rules: AbilityRule[] = [{ action: 'read', subject: 'Project', conditions: { id: { $ne: 'p1' } } }];
    expect(() => limitRules(rules, [{ action: 'read', subject: 'Project', conditions: { id: 'p2' } }])).toThrow(TypeError);
  });

  const value = fc.constantFrom('a', 'b', 'c');
  const values = fc.uniqueArray(value, { minLength: 1, maxLength: 3 });
  const condition = fc.oneof(
    value,
    values.map(($in) => ({ $in })),
    values.map(($nin) => ({ $nin })),
  );
  const conditions = fc.dictionary(fc.constantFrom('id', 'teamId', 'actorId'), condition, { maxKeys: 3 });
  const action = fc.constantFrom<Action>('read', 'deploy', 'manage', 'reveal-secrets');
  const name = fc.constantFrom<SubjectName>('Project', 'Team');
  const rule: fc.Arbitrary<AbilityRule> = fc
    .record({
      action: fc.uniqueArray(action, { minLength: 1, maxLength: 2 }),
      subject: fc.oneof<fc.Arbitrary<SubjectName | 'all'>[]>(name, fc.constant('all')),
      conditions,
      inverted: fc.boolean(),
    })
    .map(({ inverted, ...rest }) => ({ ...rest, ...(inverted ? { inverted } : {}) }));
  const limit: fc.Arbitrary<Limit> = fc.record({ action: action.filter((each) => each !== 'manage'), subject: name, conditions });
  const row = fc.record({ id: value, teamId: value, actorId: value });
  const rules = fc.array(rule, { maxLength: 5 });
  const limits = fc.array(limit, { maxLength: 4 });

  it('allows exactly what both allow', () => {
    fc.assert(
      fc.property(rules, limits, row, (owner, cut, thing) => {
        const limited = limitAbility(abilityOf(owner), cut);
        for (const each of ACTIONS) {
          for (const kind of SUBJECT_NAMES) {
            const here = subject(kind, { ...thing });
            const both =
              each !== 'manage' && abilityOf(owner).can(each, here) && abilityOf(cut.map((part) => ({ ...part }))).can(each, here);
            expect(limited.can(each, here)).toBe(both);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('can still be asked of the database', () => {
    fc.assert(
      fc.property(rules, limits, (owner, cut) => {
        const { sql } = abilityToSql(limitAbility(abilityOf(owner), cut), 'read', 'Project', (attribute) => attribute);
        expect(sql).not.toBe('');
      }),
    );
  });
});
