import { AbilityBuilder, type MongoAbility, type RawRuleOf, createMongoAbility, subject } from '@casl/ability';
import { DomainError, notFound } from '../common/domain-error.js';
import type { DenialFile } from '../http/denied-attempts.js';
import type { Actor, Principal } from './actor.js';
import { tokenRefusal } from './token-refusal.js';

/** What can be done. `read` always means: may know that it exists. docs/security.md says who may do what. */
export const ACTIONS = [
  'read',
  'create',
  'update',
  'delete',
  // Teams.
  'transfer',
  'manage-members',
  'manage-roles',
  'manage-tokens',
  'manage-quota',
  'break-glass',
  // Projects.
  'protect',
  'deploy',
  'operate',
  'restore',
  'exec',
  'read-logs',
  'write-secrets',
  'reveal-secrets',
  // Audit events.
  'export',
  'manage',
] as const;
export type Action = (typeof ACTIONS)[number];

/** What it can be done to, each with the attributes that rules may look at. */
export interface Subjects {
  User: { id: string };
  Team: { id: string };
  Project: { id: string; teamId: string; protected: boolean };
  /** `scope` is `platform` for events that belong to no team. `actorId` is empty for what the platform did by itself. */
  AuditEvent: { teamId: string; actorId: string; scope: 'platform' | 'team' };
  Port: { name: string };
  Node: { id: string };
  /** Settings of the installation, quotas, signing keys. */
  Platform: Record<string, never>;
}
export type SubjectName = keyof Subjects;
export const SUBJECT_NAMES = [
  'User',
  'Team',
  'Project',
  'AuditEvent',
  'Port',
  'Node',
  'Platform',
] as const satisfies readonly SubjectName[];

export type AppAbility = MongoAbility<[Action, SubjectName | 'all' | object]>;

/** Conditions on a subject's attributes: equal, one of, or none of. All of them must hold. */
export type Conditions<S extends SubjectName> = {
  [K in keyof Subjects[S]]?: Subjects[S][K] | { $in: Subjects[S][K][] } | { $nin: Subjects[S][K][] };
};

/** Collects the rules of one principal. `manage` of `all` belongs to platform administrators alone. */
export interface RuleBuilder {
  can<S extends SubjectName>(action: Action | Action[], subject: S, conditions?: Conditions<S>): void;
  cannot<S extends SubjectName>(action: Action | Action[], subject: S, conditions?: Conditions<S>): void;
}

/** The rules of one module, in its `<module>.policy.ts`. Later policies do not weaken earlier ones, except by `cannot`. */
export type Policy = (rules: RuleBuilder, principal: Principal) => void;

/** Turns the policies of all modules into what one principal may do. Nothing is allowed that no policy allows. */
export class AbilityFactory {
  constructor(private readonly policies: readonly Policy[]) {}

  for(principal: Principal): AppAbility {
    const builder = new AbilityBuilder<AppAbility>(createMongoAbility);
    const rules: RuleBuilder = {
      can: (action, name, conditions) => {
        builder.rules.push(ruleOf(action, name, conditions));
      },
      cannot: (action, name, conditions) => {
        builder.rules.push({ ...ruleOf(action, name, conditions), inverted: true });
      },
    };
    for (const policy of this.policies) policy(rules, principal);
    return builder.build();
  }
}

function ruleOf(action: Action | Action[], subject: SubjectName, conditions: object | undefined): RawRuleOf<AppAbility> {
  return { action, subject, ...(conditions === undefined ? {} : { conditions }) };
}

/** Whether `actor` may do `action` to this very row. */
export function mayDo<S extends SubjectName>(actor: Pick<Actor, 'ability'>, action: Action, name: S, attributes: Subjects[S]): boolean {
  return actor.ability.can(action, subject(name, { ...attributes }));
}

/**
 * The actor for looking whether something is there, never for acting on it: whoever holds a token may know what its owner may see,
 * so that a scope that is missing is named instead of a row hidden.
 */
export function asOwner<A extends Pick<Actor, 'ability' | 'unscoped'>>(actor: A): A {
  return actor.unscoped === undefined ? actor : { ...actor, ability: actor.unscoped };
}

/** Whether some project of the team, there or yet to come, is one to which `ability` allows `action`. */
export function mayDoInTeam(ability: AppAbility, action: Action, teamId: string): boolean {
  return ability.rulesFor(action, 'Project').some((rule) => !rule.inverted && matchesTeam(rule.conditions?.['teamId'], teamId));
}

function matchesTeam(wanted: unknown, teamId: string): boolean {
  if (typeof wanted !== 'object' || wanted === null) return wanted === undefined || wanted === teamId;
  return '$in' in wanted && Array.isArray(wanted.$in) && wanted.$in.includes(teamId);
}

/**
 * Returns `row` when the actor may do `action` to it. A row that is absent and one that the actor may not even read are the
 * same `not-found`; a readable one is `forbidden` (`SCOPE_MISSING` when only the token's scopes stand in the way). `what` and `id` name it in the message: `authorize(actor, 'deploy', 'Project', row, {what: 'project', id})`.
 */
export function authorize<S extends SubjectName, R extends Subjects[S]>(
  actor: Pick<Actor, 'ability' | 'unscoped'>,
  action: Action,
  name: S,
  row: R | null | undefined,
  named: { what: string; id: string },
): R {
  const owner = asOwner(actor);
  if (!row || !mayDo(owner, 'read', name, row)) throw notFound(named.what, named.id);
  if (mayDo(actor, action, name, row)) return row;
  if (mayDo(owner, action, name, row)) throw tokenRefusal(action, name);
  throw new DomainError(
    'forbidden',
    'ACTION_FORBIDDEN',
    `Your role does not allow you to ${action.replaceAll('-', ' ')} this ${named.what}.`,
    {
      fix: 'Ask an owner or admin of the team to do it, or to give you a role that may.',
      details: { audit: denialOf(name, row, named) },
    },
  );
}

/** Files the refusal under the team whose thing it was. */
function denialOf(name: SubjectName, row: object, named: { what: string; id: string }): DenialFile {
  const teamId = name === 'Team' ? named.id : 'teamId' in row && typeof row.teamId === 'string' ? row.teamId : undefined;
  return {
    ...(teamId === undefined ? {} : { teamId }),
    ...(name === 'Project' ? { projectId: named.id } : {}),
    subject: { type: named.what, id: named.id },
  };
}
