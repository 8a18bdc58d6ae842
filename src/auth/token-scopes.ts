import type { Action, Subjects, SubjectName } from './ability.js';
import { ALL_ROWS, type TableRow } from './role-table.js';
import type { Limit } from './rule-intersection.js';

/** What a token can be allowed. docs/api-tokens.md shows this list with what follows from the role table. */
export const SCOPES = {
  read: 'See teams, members, projects, deployments, status, logs and ports. No secret and no audit event.',
  deploy: 'Change the specification of projects that exist, upload sources, plan, deploy, start, stop, restart and cancel.',
  'secret:write': 'Set and delete variables and secrets; never read a secret.',
} as const;
export type ScopeName = keyof typeof SCOPES;
export const SCOPE_NAMES = Object.keys(SCOPES) as readonly ScopeName[];

/** What policies allow beside the role table, to everybody: oneself, and the catalogue. */
const BESIDE_THE_TABLE: readonly { scope: ScopeName; subject: SubjectName; actions: readonly Action[] }[] = [
  { scope: 'read', subject: 'Port', actions: ['read'] },
  { scope: 'read', subject: 'User', actions: ['read'] },
];

export interface ScopedRight {
  scope: ScopeName;
  subject: SubjectName;
  action: Action;
}

/** Every right that a token can have, with its one scope. What is not here is closed to all tokens. */
export const SCOPED_RIGHTS: readonly ScopedRight[] = [
  ...ALL_ROWS.flatMap(scopedRightsOf),
  ...BESIDE_THE_TABLE.flatMap(({ scope, subject, actions }) => actions.map((action) => ({ scope, subject, action }))),
];

function scopedRightsOf(row: TableRow): ScopedRight[] {
  const cell = row.cells['machine-token'];
  if (typeof cell === 'string') return [];
  const scope = parseScope(cell.scope)?.name;
  if (scope === undefined) throw new TypeError(`The role table names a scope that is none: ${cell.scope}`);
  return Object.entries(row.rights).flatMap(([subject, actions]) =>
    actions.map((action) => ({ scope, subject: subject as SubjectName, action })),
  );
}

/** The scopes as rows of a table in Markdown, as docs/api-tokens.md has them. */
export function scopesAsMarkdown(): string[] {
  return SCOPE_NAMES.map((scope) => {
    const rights = SCOPED_RIGHTS.filter((right) => right.scope === scope).map(({ action, subject }) => `${action} ${subject}`);
    return `| \`${scope}\` | ${SCOPES[scope]} | ${rights.join(', ')} |`;
  });
}

/** The scope that covers `action` on `subject`; undefined: no token may ever do it. */
export function scopeFor(action: Action, subject: SubjectName): ScopeName | undefined {
  return SCOPED_RIGHTS.find((right) => right.action === action && right.subject === subject)?.scope;
}

/** A scope as a token carries it: a whole one, or one narrowed to a project. */
export interface Scope {
  name: ScopeName;
  /** After the name and a colon: an id, or `team/name` where people write it. */
  project?: string;
}

/** Reads `deploy` or `deploy:<project>`; undefined for anything else. */
export function parseScope(text: string): Scope | undefined {
  for (const name of SCOPE_NAMES) {
    if (text === name) return { name };
    if (text.startsWith(`${name}:`) && text.length > name.length + 1) return { name, project: text.slice(name.length + 1) };
  }
  return undefined;
}

export function scopeText({ name, project }: Scope): string {
  return project === undefined ? name : `${name}:${project}`;
}

/** The attribute by which rows of a subject belong to a team; absent: to none. */
const TEAM_ATTRIBUTE: { readonly [S in SubjectName]?: keyof Subjects[S] } = { Team: 'id', Project: 'teamId', AuditEvent: 'teamId' };

/** What the scopes of a token let through of its owner's rights. Narrowed scopes carry ids of projects here. */
export function limitsOfScopes(scopes: readonly string[], owner: { userId: string; teamId: string | null }): Limit[] {
  return scopes.flatMap((text) => {
    const scope = parseScope(text);
    if (scope === undefined) return [];
    return SCOPED_RIGHTS.filter((right) => right.scope === scope.name).flatMap(({ action, subject }) => {
      const conditions = {
        ...teamCondition(subject, owner.teamId),
        ...(subject === 'User' ? { id: owner.userId } : {}),
        ...(subject === 'Project' && scope.project !== undefined ? { id: scope.project } : {}),
      };
      return [{ action, subject, ...(Object.keys(conditions).length === 0 ? {} : { conditions }) }];
    });
  });
}

function teamCondition(subject: SubjectName, teamId: string | null): Record<string, string> {
  const attribute = TEAM_ATTRIBUTE[subject];
  return teamId === null || attribute === undefined ? {} : { [attribute]: teamId };
}
