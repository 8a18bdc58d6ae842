import { allItems, dataOf } from '@hithe/client';
import { usageError } from '../cli-error.js';
import type { Context } from '../context.js';
import { findTeam } from '../context.js';
import { columns } from '../ui/columns.js';
import { nearest } from '../ui/suggest.js';

export const ROLES = ['owner', 'admin', 'developer', 'viewer'] as const;
export type Role = (typeof ROLES)[number];

/** `hithe teams create`: makes a team that the caller owns. */
export async function createTeam(context: Context, name: string, options: { slug?: string }): Promise<void> {
  const { api } = await context.client();
  const team = await dataOf(api.POST('/api/v1/teams', { body: { name, ...(options.slug === undefined ? {} : { slug: options.slug }) } }));
  context.show(team, () => `Created the team ${context.colors.bold(team.slug)}.`);
  context.note(`next: hithe use ${team.slug}`);
}

/** `hithe teams`: the teams that the caller can see. */
export async function listTeams(context: Context): Promise<void> {
  const { api } = await context.client();
  const teams = await allItems((cursor) => dataOf(api.GET('/api/v1/teams', { params: { query: cursorOf(cursor) } })));
  context.show(teams, () => columns([['TEAM', 'NAME', 'ID'], ...teams.map(({ slug, name, id }) => [slug, name, id])]));
}

/** `hithe teams members`: who is in a team, and as what. */
export async function listMembers(context: Context, slug: string | undefined): Promise<void> {
  const { api } = await context.client();
  const team = await teamNamed(context, slug);
  const members = await allItems((cursor) =>
    dataOf(api.GET('/api/v1/teams/{teamId}/members', { params: { path: { teamId: team.id }, query: cursorOf(cursor) } })),
  );
  context.show(members, () => columns([['EMAIL', 'ROLE'], ...members.map(({ email, role }) => [email, role])]));
}

/** `hithe teams add`: gives a user a role in a team, or another role than before. */
export async function addMember(context: Context, email: string, options: { role: string }): Promise<void> {
  const role = toRole(options.role);
  const { api } = await context.client();
  const team = await context.team();
  const member = await dataOf(api.PUT('/api/v1/teams/{teamId}/members', { params: { path: { teamId: team.id } }, body: { email, role } }));
  context.show(member, () => `${context.colors.bold(email)} is now ${role} of ${team.slug}.`);
}

/** `hithe teams remove`: takes a user out of a team. */
export async function removeMember(context: Context, email: string): Promise<void> {
  const { api } = await context.client();
  const team = await context.team();
  const { items } = await dataOf(
    api.GET('/api/v1/teams/{teamId}/members', { params: { path: { teamId: team.id }, query: { limit: 200 } } }),
  );
  const member = items.find((candidate) => candidate.email.toLowerCase() === email.toLowerCase());
  if (member === undefined)
    throw usageError(`${email} is not in the team ${team.slug}.`, { code: 'MEMBER_NOT_FOUND', fix: `hithe teams members ${team.slug}` });
  await api.DELETE('/api/v1/teams/{teamId}/members/{userId}', { params: { path: { teamId: team.id, userId: member.userId } } });
  context.show({ email, team: team.slug, removed: true }, () => `${context.colors.bold(email)} is no longer in ${team.slug}.`);
}

function cursorOf(cursor: string | undefined): { cursor?: string } {
  return cursor === undefined ? {} : { cursor };
}

async function teamNamed(context: Context, slug: string | undefined): Promise<{ id: string; slug: string }> {
  return slug === undefined ? context.team() : findTeam((await context.me()).teams, slug);
}

/** The role of that name, or an error that suggests the nearest. */
export function toRole(text: string): Role {
  const role = ROLES.find((candidate) => candidate === text);
  if (role !== undefined) return role;
  const near = nearest(text, ROLES);
  throw usageError(`"${text}" is not a role.`, {
    fix: near === undefined ? `Roles: ${ROLES.join(', ')}.` : `Did you mean "${near}"? Roles: ${ROLES.join(', ')}.`,
  });
}
