import { z } from 'zod';
import { ACTIONS, type Action, type SubjectName } from './ability.js';
import { ALL, type Extent, NONE, NOWHERE, combine, only, unionOf, without } from './extent.js';
import { ALL_ROWS } from './role-table.js';

/** What rules of custom roles may be about. */
export const CUSTOM_SUBJECTS = ['Project', 'Team', 'AuditEvent'] as const satisfies readonly SubjectName[];
export type CustomSubject = (typeof CUSTOM_SUBJECTS)[number];

/** A rule of a custom role, in CASL's form. Its team is that of its role: it cannot name one. */
export interface CustomRule {
  action: Action[];
  subject: CustomSubject;
  /** Of projects only. Absent: all of the team's. */
  conditions?: { id?: { $in: string[] }; protected?: boolean };
  /** Takes away what rules before it gave. */
  inverted?: boolean;
}

export const MOST_RULES = 50;
export const MOST_IDS = 100;

/** What a custom role can hold at most: what the role table has for a team's admin. Nothing of the platform's. */
export const CUSTOM_MAXIMUM: Readonly<Record<CustomSubject, ReadonlySet<Action>>> = {
  Project: maximumOf('Project'),
  Team: maximumOf('Team'),
  AuditEvent: maximumOf('AuditEvent'),
};

function maximumOf(subject: CustomSubject): ReadonlySet<Action> {
  return new Set(ALL_ROWS.flatMap((row) => (row.cells.admin === 'no' ? [] : (row.rights[subject] ?? []))));
}

const GRANTABLE = ACTIONS.filter((action) => CUSTOM_SUBJECTS.some((subject) => CUSTOM_MAXIMUM[subject].has(action)));
const ids = z.union([z.uuid().transform((id) => [id]), z.array(z.uuid()).min(1).max(MOST_IDS)], {
  error: `must be the id of a project, or a list of 1 to ${MOST_IDS} ids`,
});
const actions = z.union([z.enum(ACTIONS).transform((action) => [action]), z.array(z.enum(ACTIONS)).min(1).max(ACTIONS.length)], {
  error: `must be one or a list of: ${GRANTABLE.join(', ')}`,
});

const ruleSchema = z
  .strictObject({
    action: actions.optional(),
    actions: actions.optional(),
    subject: z.enum(CUSTOM_SUBJECTS),
    conditions: z
      .strictObject({
        id: z.union([ids, z.strictObject({ $in: ids }).transform((given) => given.$in)]).optional(),
        protected: z.boolean().optional(),
      })
      .optional(),
    inverted: z.boolean().optional(),
  })
  .transform((given, context): CustomRule => {
    const named = given.action ?? given.actions;
    const problem = (path: string, message: string): typeof z.NEVER => {
      context.addIssue({ code: 'custom', path: [path], message });
      return z.NEVER;
    };
    if (named === undefined || (given.action && given.actions)) return problem('action', 'one of "action" and "actions" is needed');
    const beyond = named.find((action) => !CUSTOM_MAXIMUM[given.subject].has(action));
    if (beyond !== undefined) return problem('action', beyondMaximum(beyond, given.subject));
    if (given.conditions !== undefined && given.subject !== 'Project')
      return problem('conditions', 'only rules about Project have conditions');
    return {
      action: [...new Set(named)],
      subject: given.subject,
      ...conditionsOf(given.conditions),
      ...(given.inverted === true ? { inverted: true } : {}),
    };
  });

/** Rules as people write them, in JSON or YAML; gives them in the one form in which they are kept. */
export const customRulesSchema = z.array(ruleSchema).min(1).max(MOST_RULES);

function conditionsOf(given: { id?: string[] | undefined; protected?: boolean | undefined } | undefined): Pick<CustomRule, 'conditions'> {
  if (given === undefined || (given.id === undefined && given.protected === undefined)) return {};
  return {
    conditions: {
      ...(given.id === undefined ? {} : { id: { $in: [...new Set(given.id)] } }),
      ...(given.protected === undefined ? {} : { protected: given.protected }),
    },
  };
}

function beyondMaximum(action: Action, subject: CustomSubject): string {
  const possible = [...CUSTOM_MAXIMUM[subject]].join(', ');
  return `"${action}" of ${subject} is for no custom role; possible are ${possible}`;
}

/** What a list of rights reaches in one team, for each action and kind of thing. */
export type Reach = Map<string, { subject: SubjectName; action: Action; extent: Extent }>;

/** The key of an action on a kind of thing within a `Reach`. */
export function reachKey(action: Action, subject: SubjectName): string {
  return `${action} ${subject}`;
}

/** Adds to a reach. */
export function addReach(reach: Reach, subject: SubjectName, action: Action, extent: Extent): void {
  const key = reachKey(action, subject);
  const before = reach.get(key)?.extent ?? NOWHERE;
  reach.set(key, { subject, action, extent: combine(before, extent, unionOf) });
}

/**
 * What these rules reach in their team, in CASL's order: a later rule wins. Only ever within `CUSTOM_MAXIMUM`. Whoever may do
 * something to a project may know of it, so `read` comes with every other action but `create`.
 */
export function reachOf(rules: readonly CustomRule[]): Reach {
  const reach: Reach = new Map();
  for (const rule of rules) {
    const extent = extentOf(rule);
    for (const action of rule.action) {
      if (!CUSTOM_MAXIMUM[rule.subject].has(action)) continue;
      if (rule.inverted === true) subtract(reach, rule.subject, action, extent);
      else addReach(reach, rule.subject, action, extent);
    }
  }
  for (const { subject, action, extent } of [...reach.values()]) if (action !== 'create') addReach(reach, subject, 'read', extent);
  return reach;
}

/** What one rule is about, its `inverted` aside. */
export function extentOf({ conditions }: CustomRule): Extent {
  const which = conditions?.id === undefined ? ALL : only(conditions.id.$in);
  return { open: conditions?.protected === true ? NONE : which, guarded: conditions?.protected === false ? NONE : which };
}

function subtract(reach: Reach, subject: SubjectName, action: Action, extent: Extent): void {
  const present = reach.get(reachKey(action, subject));
  if (present !== undefined) present.extent = combine(present.extent, extent, without);
}
