import { createMongoAbility, subject as marked } from '@casl/ability';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Action, AbilityFactory, type AppAbility, type SubjectName, type Subjects, mayDo } from './ability.js';
import type { Principal, TeamRole } from './actor.js';
import { CUSTOM_MAXIMUM, CUSTOM_SUBJECTS, type CustomRule, type CustomSubject, MOST_RULES, customRulesSchema } from './custom-rules.js';
import { tablePolicy } from './table-rules.js';
import { isBelow, missingFrom, rightsIn, rightsOf } from './team-rights.js';

const PROJECTS = ['0199a7c2-0000-7000-8000-000000000001', '0199a7c2-0000-7000-8000-000000000002', '0199a7c2-0000-7000-8000-000000000003'];
const factory = new AbilityFactory(
  ['User', 'Team', 'Project', 'AuditEvent', 'Node', 'Platform'].map((name) => tablePolicy(name as SubjectName)),
);
const member = (given: Partial<Principal>): Principal => ({ userId: 'me', email: '', platformAdmin: false, memberships: [], ...given });
const withRules = (rules: readonly CustomRule[]) =>
  factory.for(member({ memberships: [{ teamId: 't1', role: 'custom', roleId: 'r', rules }] }));
const withRole = (role: TeamRole) => factory.for(member({ memberships: [{ teamId: 't1', role }] }));

/** Every thing that a rule could be about, in two teams. */
const things: { subject: CustomSubject; row: object; teamId: string }[] = ['t1', 't2'].flatMap((teamId) => [
  { subject: 'Team' as const, row: { id: teamId }, teamId },
  { subject: 'AuditEvent' as const, row: { teamId, actorId: 'somebody else', scope: 'team' }, teamId },
  ...PROJECTS.flatMap((id) => [true, false].map((on) => ({ subject: 'Project' as const, row: { id, teamId, protected: on }, teamId }))),
]);
const grid = things.flatMap(({ subject, row, teamId }) => [...CUSTOM_MAXIMUM[subject]].map((action) => ({ action, subject, row, teamId })));
const may = (ability: AppAbility, { action, subject, row }: { action: Action; subject: CustomSubject; row: object }) =>
  mayDo({ ability }, action, subject, row as Subjects[CustomSubject]);

const conditions = fc.record(
  { id: fc.uniqueArray(fc.constantFrom(...PROJECTS), { minLength: 1 }).map((ids) => ({ $in: ids })), protected: fc.boolean() },
  { requiredKeys: [], noNullPrototype: true },
);
const rule: fc.Arbitrary<CustomRule> = fc.constantFrom(...CUSTOM_SUBJECTS).chain((subject) =>
  fc
    .record({
      action: fc.uniqueArray(fc.constantFrom(...CUSTOM_MAXIMUM[subject]), { minLength: 1, maxLength: 4 }),
      given: fc.option(conditions, { nil: undefined }),
      inverted: fc.boolean(),
    })
    .map(({ action, given, inverted }) => ({
      action,
      subject,
      ...(subject === 'Project' && given !== undefined ? { conditions: given } : {}),
      ...(inverted ? { inverted } : {}),
    })),
);
const rules = fc.array(rule, { minLength: 1, maxLength: 8 });

describe('rules of custom roles', () => {
  it('are kept in one form', () => {
    const [id = ''] = PROJECTS;
    const given = [
      { action: 'deploy', subject: 'Project', conditions: { id } },
      { actions: ['read', 'read'], subject: 'Team' },
      { action: ['exec'], subject: 'Project', conditions: { id: { $in: [id, id] }, protected: true }, inverted: true },
      { action: 'restore', subject: 'Project', conditions: {}, inverted: false },
    ];
    expect(customRulesSchema.parse(given)).toEqual([
      { action: ['deploy'], subject: 'Project', conditions: { id: { $in: [id] } } },
      { action: ['read'], subject: 'Team' },
      { action: ['exec'], subject: 'Project', conditions: { id: { $in: [id] }, protected: true }, inverted: true },
      { action: ['restore'], subject: 'Project' },
    ]);
  });

  it.each([
    ['no rule', []],
    ['too many', Array.from({ length: MOST_RULES + 1 }, () => ({ action: 'read', subject: 'Project' }))],
    ['an unknown action', [{ action: 'fly', subject: 'Project' }]],
    ['no action', [{ subject: 'Project' }]],
    ['two lists of actions', [{ action: 'read', actions: ['read'], subject: 'Project' }]],
    ['everything', [{ action: 'manage', subject: 'Project' }]],
    ['all', [{ action: 'read', subject: 'all' }]],
    ['the platform', [{ action: 'read', subject: 'Node' }]],
    ['users', [{ action: 'read', subject: 'User' }]],
    ['the owner’s own', [{ action: 'delete', subject: 'Team' }]],
    ['transfers', [{ action: 'transfer', subject: 'Team' }]],
    ['quotas', [{ action: 'manage-quota', subject: 'Team' }]],
    ['broken glass', [{ action: 'break-glass', subject: 'Team' }]],
    ['a team of one’s choice', [{ action: 'read', subject: 'Project', conditions: { teamId: 't2' } }]],
    ['an operator', [{ action: 'read', subject: 'Project', conditions: { protected: { $ne: true } } }]],
    ['an id that is none', [{ action: 'read', subject: 'Project', conditions: { id: 'x' } }]],
    ['conditions on a team', [{ action: 'read', subject: 'Team', conditions: { protected: true } }]],
    ['unknown fields', [{ action: 'read', subject: 'Project', fields: ['name'] }]],
  ])('may not be %s', (_what, given) => {
    expect(customRulesSchema.safeParse(given).success).toBe(false);
  });

  it('mean in their team what CASL makes of them, and nothing elsewhere', () => {
    fc.assert(
      fc.property(rules, (given) => {
        const ours = withRules(given);
        const casl = createMongoAbility<AppAbility>(given);
        const anyOf = (thing: (typeof things)[number]) =>
          [...CUSTOM_MAXIMUM[thing.subject]].some(
            (action) => action !== 'create' && casl.can(action, marked(thing.subject, { ...thing.row })),
          );
        for (const each of grid) {
          const theirs =
            each.teamId === 't1' &&
            (casl.can(each.action, marked(each.subject, { ...each.row })) ||
              (each.action === 'read' && (each.subject === 'Team' || anyOf(each))));
          if (may(ours, each) !== theirs) expect({ ...each, may: !theirs }).toEqual({ ...each, may: theirs });
        }
      }),
      { numRuns: 60 },
    );
  });

  it('name what they can say when they say something else', () => {
    const messages = (rule: object) => customRulesSchema.safeParse([rule]).error?.issues.map(({ message }) => message);
    expect(messages({ action: 'fly', subject: 'Project' })).toEqual([expect.stringMatching(/^must be one or a list of: read, .*deploy/)]);
    expect(messages({ action: 'deploy', subject: 'Project', conditions: { id: { $in: 'shop' } } })?.[0]).toContain('id');
  });

  it('become rules that only add', () => {
    fc.assert(fc.property(rules, (given) => withRules(given).rules.every((each) => each.inverted !== true)));
  });

  it('never give more than a team’s admin has, and nothing of the platform’s', () => {
    const admin = withRole('admin');
    fc.assert(
      fc.property(fc.array(fc.oneof(rule, fc.constant<CustomRule>({ action: ['manage', 'delete'], subject: 'Team' }))), (given) => {
        const ability = withRules(given);
        for (const each of grid) if (may(ability, each)) expect(may(admin, each)).toBe(true);
        for (const name of ['User', 'Node', 'Platform'] as const) expect(ability.can('read', name)).toBe(false);
        for (const action of ['delete', 'transfer', 'manage-quota', 'break-glass'] as const)
          expect(ability.can(action, 'Team')).toBe(false);
      }),
    );
  });

  it('add to a built-in role when they are a grant, on one project alone', () => {
    const [first = ''] = PROJECTS;
    fc.assert(
      fc.property(rules, (given) => {
        const memberships = [{ teamId: 't1', role: 'viewer' as const }];
        const plain = factory.for(member({ memberships }));
        const granted = factory.for(member({ memberships, grants: [{ teamId: 't1', projectId: first, role: 'custom', rules: given }] }));
        const alone = withRules(given);
        for (const each of grid) {
          const here = each.subject === 'Project' && each.action !== 'create' && (each.row as { id: string }).id === first;
          const expected = may(plain, each) || (here && may(alone, each));
          if (may(granted, each) !== expected) expect({ ...each, may: !expected }).toEqual({ ...each, may: expected });
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('who may make which role', () => {
  it('is decided by what both reach: whatever passes gives nobody more than the author has', () => {
    const author = fc.oneof(
      rules.map((given) => withRules(given)),
      fc.constantFrom<TeamRole>('owner', 'admin', 'developer', 'viewer', 'auditor').map(withRole),
      rules.map((given) =>
        factory.for(
          member({
            memberships: [
              { teamId: 't1', role: 'developer' },
              { teamId: 't2', role: 'owner' },
            ],
            grants: [{ teamId: 't1', projectId: PROJECTS[0] ?? '', role: 'custom', rules: given }],
          }),
        ),
      ),
    );
    fc.assert(
      fc.property(author, rules, (ability, given) => {
        const beyond = grid.filter((each) => each.teamId === 't1' && may(withRules(given), each) && !may(ability, each));
        const missing = missingFrom(rightsIn(ability, 't1'), rightsOf({ rules: given }));
        if (missing.length === 0) expect(beyond).toEqual([]);
        for (const { action, subject } of beyond) expect(missing).toContainEqual({ action, subject });
      }),
      { numRuns: 60 },
    );
  });

  it('counts nothing from other teams', () => {
    const elsewhere = factory.for(member({ memberships: [{ teamId: 't2', role: 'owner' }] }));
    expect(missingFrom(rightsIn(elsewhere, 't1'), rightsOf('viewer')).length).toBeGreaterThan(0);
    expect(missingFrom(rightsIn(elsewhere, 't2'), rightsOf('admin'))).toEqual([]);
  });

  it('puts the built-in roles below each other as one expects', () => {
    const below = (lower: TeamRole, upper: TeamRole) => isBelow(rightsOf(lower), rightsOf(upper));
    expect([below('admin', 'owner'), below('developer', 'admin'), below('viewer', 'developer'), below('auditor', 'admin')]).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect([below('admin', 'admin'), below('owner', 'admin'), below('auditor', 'developer'), below('developer', 'viewer')]).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});
