import { type Action, AbilityFactory, type AppAbility, type SubjectName } from './ability.js';
import type { TeamRole } from './actor.js';
import { CUSTOM_SUBJECTS, type CustomRule, type CustomSubject, type Reach, addReach, reachKey, reachOf } from './custom-rules.js';
import {
  ALL,
  EVERYWHERE,
  type Extent,
  type IdSet,
  NONE,
  NOWHERE,
  allBut,
  combine,
  intersectionOf,
  only,
  reaches,
  without,
} from './extent.js';
import { tablePolicy } from './table-rules.js';

/** A role to give or to take: a built-in one, or the rules of a custom one. */
export type RoleRights = TeamRole | { rules: readonly CustomRule[] };

/** One right that somebody lacks. */
export interface MissingRight {
  action: Action;
  subject: SubjectName;
}

const SOMEBODY = 'somebody';
const A_TEAM = 'a-team';
const tableOnly = new AbilityFactory(CUSTOM_SUBJECTS.map((subject) => tablePolicy(subject)));

/**
 * What an ability reaches in one team. Rights under conditions that an extent cannot say (the events of one's own doing) count
 * as none, so that nobody passes on more than they hold.
 */
export function rightsIn(ability: AppAbility, teamId: string): Reach {
  const reach: Reach = new Map();
  for (const rule of ability.rules) {
    const inverted = rule.inverted === true;
    for (const subject of [rule.subject].flat() as unknown[]) {
      if (!isCustomSubject(subject)) continue;
      const extent = extentIn(subject, teamId, rule.conditions) ?? (inverted ? EVERYWHERE : NOWHERE);
      for (const action of [rule.action].flat()) {
        if (!inverted) addReach(reach, subject, action, extent);
        else subtract(reach, action, subject, extent);
      }
    }
  }
  return reach;
}

/** What a role reaches in its team. */
export function rightsOf(role: RoleRights): Reach {
  if (typeof role === 'string') {
    const member = { userId: SOMEBODY, email: '', platformAdmin: false, memberships: [{ teamId: A_TEAM, role }] };
    return rightsIn(tableOnly.for(member), A_TEAM);
  }
  const reach = reachOf(role.rules);
  addReach(reach, 'Team', 'read', EVERYWHERE);
  return reach;
}

/** The rights in `wanted` that are not within `held`. */
export function missingFrom(held: Reach, wanted: Reach): MissingRight[] {
  return [...wanted.values()]
    .filter(({ action, subject, extent }) => !reaches(held.get(reachKey(action, subject))?.extent ?? NOWHERE, extent))
    .map(({ action, subject }) => ({ action, subject }));
}

/** The part of these rights that a grant on one project gives. */
export function limitedTo(projectId: string, rights: Reach): Reach {
  const here = { open: only([projectId]), guarded: only([projectId]) };
  const limited: Reach = new Map();
  for (const [key, { subject, action, extent }] of rights) {
    if (subject === 'Project' && action !== 'create') limited.set(key, { subject, action, extent: combine(extent, here, intersectionOf) });
  }
  return limited;
}

/** Whether `lower` is within `upper`, and not the same. */
export function isBelow(lower: Reach, upper: Reach): boolean {
  return missingFrom(upper, lower).length === 0 && missingFrom(lower, upper).length > 0;
}

function isCustomSubject(subject: unknown): subject is CustomSubject {
  return CUSTOM_SUBJECTS.some((each) => each === subject);
}

function subtract(reach: Reach, action: Action, subject: SubjectName, extent: Extent): void {
  const present = reach.get(reachKey(action, subject));
  if (present !== undefined) present.extent = combine(present.extent, extent, without);
}

/** The extent of conditions in a team; undefined when there is more to them than an extent can say. */
function extentIn(subject: CustomSubject, teamId: string, conditions: Record<string, unknown> = {}): Extent | undefined {
  const teamAttribute = subject === 'Team' ? 'id' : 'teamId';
  let extent: Extent = EVERYWHERE;
  for (const [attribute, wanted] of Object.entries(conditions)) {
    const ids = idsOf(wanted);
    if (attribute === teamAttribute && ids !== undefined) {
      if (ids.ids.has(teamId) === ids.except) return NOWHERE;
    } else if (attribute === 'id' && ids !== undefined) extent = { open: ids, guarded: ids };
    else if (attribute !== 'protected' || typeof wanted !== 'boolean') return undefined;
  }
  const { protected: isProtected } = conditions;
  return {
    open: isProtected === true ? NONE : extent.open,
    guarded: isProtected === false ? NONE : extent.guarded,
  };
}

function idsOf(wanted: unknown): IdSet | undefined {
  if (typeof wanted === 'string') return only([wanted]);
  if (typeof wanted !== 'object' || wanted === null || Object.keys(wanted).length !== 1) return undefined;
  if ('$in' in wanted && Array.isArray(wanted.$in)) return only(wanted.$in as string[]);
  if ('$nin' in wanted && Array.isArray(wanted.$nin)) return wanted.$nin.length === 0 ? ALL : allBut(wanted.$nin as string[]);
  return undefined;
}
