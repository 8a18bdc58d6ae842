import type { Action, Policy, RuleBuilder, SubjectName } from './ability.js';
import type { Membership, Principal } from './actor.js';
import { reachOf } from './custom-rules.js';
import { type Extent, type IdSet, combine, intersectionOf, isEmpty, only, sameIds } from './extent.js';
import { ALL_ROWS, type Cell, type TableRole, type TableRow } from './role-table.js';

/** The attribute of a subject that names its team; kinds without one belong to the platform. */
const TEAM_ATTRIBUTE: Readonly<Partial<Record<SubjectName, string>>> = { Team: 'id', Project: 'teamId', AuditEvent: 'teamId' };

type Attributes = Readonly<Record<string, unknown>>;

/** The rules about one kind of thing that follow from the role table, from custom roles, from grants and from broken glass. */
export function tablePolicy(subject: SubjectName): Policy {
  const rows = ALL_ROWS.filter((row) => row.rights[subject] !== undefined);
  return (rules, principal) => {
    const claims = new Claims(subject);
    if (principal.platformAdmin) claimAsAdmin(claims, rows, principal);
    claimByMembership(claims, rows, principal);
    if (subject === 'Project') claimByGrant(claims, rows, principal);
    claims.writeTo(rules);
  };
}

function claimAsAdmin(claims: Claims, rows: readonly TableRow[], principal: Principal): void {
  const broken = Object.keys(principal.breakGlass ?? {});
  for (const row of rows) {
    const cell = row.cells['platform-admin'];
    const actions = actionsOf(row, claims.subject, cell);
    if (cell === 'break-glass' || cell === 'break-glass-audited') {
      for (const action of actions) claims.add(action, {}, 'broken glass', broken);
    } else if (cell !== 'no') claims.addEverywhere(actions, cell === 'platform-scope' ? { scope: 'platform' } : {});
  }
}

function claimByMembership(claims: Claims, rows: readonly TableRow[], principal: Principal): void {
  const byRole = Map.groupBy(principal.memberships, (membership) => membership.role);
  for (const [role, memberships] of byRole) {
    const teams = memberships.map((membership) => membership.teamId);
    if (role === 'custom') {
      if (claims.subject === 'Team') claims.add('read', {}, 'custom', teams);
      for (const membership of memberships) claimByCustomRole(claims, membership);
      continue;
    }
    for (const row of rows) claimCell(claims, row, role, principal.userId, teams);
  }
}

function claimByCustomRole(claims: Claims, membership: Membership): void {
  for (const { subject, action, extent } of reachOf(membership.rules ?? []).values()) {
    if (subject === claims.subject)
      for (const extra of attributesOf(extent)) claims.add(action, extra, membership.teamId, [membership.teamId]);
  }
}

/** A grant counts for one project of one team, whatever its rules say. There is nothing to create in a project. */
function claimByGrant(claims: Claims, rows: readonly TableRow[], principal: Principal): void {
  for (const grant of principal.grants ?? []) {
    if (grant.role === 'custom') {
      const here = only([grant.projectId]);
      for (const { subject, action, extent } of reachOf(grant.rules ?? []).values()) {
        if (subject !== 'Project' || action === 'create') continue;
        const within = combine(extent, { open: here, guarded: here }, intersectionOf);
        for (const attributes of attributesOf(within)) claims.addOn(action, protectionIn(attributes), grant);
      }
      continue;
    }
    for (const row of rows) {
      const cell = row.cells[grant.role];
      // The grant is the list that the table speaks of.
      const extra = cell === 'unprotected' ? { protected: false } : {};
      for (const action of actionsOf(row, 'Project', cell)) if (action !== 'create') claims.addOn(action, extra, grant);
    }
  }
}

function claimCell(claims: Claims, row: TableRow, role: TableRole, userId: string, teams: readonly string[]): void {
  const cell = row.cells[role];
  const extra =
    cell === 'unprotected' || cell === 'by-grant-when-protected' ? { protected: false } : cell === 'own' ? { actorId: userId } : {};
  for (const action of actionsOf(row, claims.subject, cell)) claims.add(action, extra, role, teams);
}

/** The actions of a row that a cell allows. */
export function actionsOf(row: TableRow, subject: SubjectName, cell: Cell): readonly Action[] {
  const all = row.rights[subject] ?? [];
  if (cell === 'no' || cell === 'never') return [];
  if (cell === 'create-only') return all.filter((action) => action === 'create');
  if (cell === 'metadata' || cell === 'own') return all.filter((action) => action === 'read');
  return all;
}

/** An extent as conditions; a thing meets the extent if it meets one of them. None: nothing is in it. */
function attributesOf({ open, guarded }: Extent): Attributes[] {
  if (sameIds(open, guarded)) return isEmpty(open) ? [] : [idCondition(open)];
  return [
    ...(isEmpty(open) ? [] : [{ ...idCondition(open), protected: false }]),
    ...(isEmpty(guarded) ? [] : [{ ...idCondition(guarded), protected: true }]),
  ];
}

function idCondition({ except, ids }: IdSet): Attributes {
  if (except && ids.size === 0) return {};
  return { id: except ? { $nin: [...ids] } : { $in: [...ids] } };
}

function protectionIn(attributes: Attributes): Attributes {
  return 'protected' in attributes ? { protected: attributes['protected'] } : {};
}

interface Claim {
  kind: 'team' | 'project';
  action: Action;
  extra: Attributes;
  /** Where the claim comes from; equal sources stand for equal places. Comparing the places themselves would cost more. */
  sources: Set<string>;
  teams: Set<string>;
  projects: Set<string>;
}

/** Collects rights to one kind of thing, and writes as few rules as say the same: one for each set of conditions and places. */
class Claims {
  private readonly everywhere: { actions: readonly Action[]; extra: Attributes }[] = [];
  private readonly claims = new Map<string, Claim>();

  constructor(readonly subject: SubjectName) {}

  addEverywhere(actions: readonly Action[], extra: Attributes): void {
    if (actions.length > 0) this.everywhere.push({ actions, extra });
  }

  /** To things of these teams that have these attributes. */
  add(action: Action, extra: Attributes, source: string, teams: readonly string[]): void {
    if (teams.length === 0) return;
    const claim = this.claim('team', action, extra);
    claim.sources.add(source);
    for (const teamId of teams) claim.teams.add(teamId);
  }

  /** To one project. */
  addOn(action: Action, extra: Attributes, { teamId, projectId }: { teamId: string; projectId: string }): void {
    const claim = this.claim('project', action, extra);
    claim.sources.add(projectId);
    claim.teams.add(teamId);
    claim.projects.add(projectId);
  }

  writeTo(rules: RuleBuilder): void {
    const write = (actions: readonly Action[], conditions: Attributes): void => {
      const some = Object.keys(conditions).length > 0;
      rules.can([...actions], this.subject, some ? conditions : undefined);
    };
    for (const { actions, extra } of this.everywhere) write(actions, extra);
    const alike = Map.groupBy(
      this.claims.values(),
      ({ kind, extra, sources }) => `${kind} ${JSON.stringify(extra)} ${[...sources].sort().join()}`,
    );
    for (const claims of alike.values()) {
      const [first] = claims;
      if (first === undefined) continue;
      const actions = claims.map((claim) => claim.action);
      write(actions, this.conditionsOf(first));
    }
  }

  private claim(kind: Claim['kind'], action: Action, extra: Attributes): Claim {
    const key = `${kind} ${action} ${JSON.stringify(extra)}`;
    const present = this.claims.get(key) ?? { kind, action, extra, sources: new Set(), teams: new Set(), projects: new Set() };
    this.claims.set(key, present);
    return present;
  }

  private conditionsOf({ extra, teams, projects }: Claim): Attributes {
    return {
      [TEAM_ATTRIBUTE[this.subject] ?? 'teamId']: { $in: [...teams] },
      ...(projects.size === 0 ? {} : { id: { $in: [...projects] } }),
      ...extra,
    };
  }
}
