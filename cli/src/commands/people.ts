import { type HitheClient, type TeamRole, allItems, dataOf } from '@hithe/client';
import { usageError } from '../cli-error.js';
import type { Context } from '../context.js';
import { findTeam } from '../context.js';
import { columns } from '../ui/columns.js';
import { nearest } from '../ui/suggest.js';

export const ROLES = ['owner', 'admin', 'developer', 'viewer', 'auditor'] as const satisfies readonly TeamRole[];
export type Role = (typeof ROLES)[number];

/** `hithe members`: who is in a team, and as what. */
export async function listMembers(context: Context, slug: string | undefined): Promise<void> {
  const { api } = await context.client();
  const team = await teamNamed(context, slug);
  const members = await allItems((cursor) =>
    dataOf(api.GET('/api/v1/teams/{teamId}/members', { params: { path: { teamId: team.id }, query: cursorOf(cursor) } })),
  );
  context.show(members, () => columns([['EMAIL', 'ROLE'], ...members.map(({ email, roleName }) => [email, roleName])]));
}

/** `hithe members add` and `set`: gives a user a role in a team, or another role than before. */
export async function addMember(context: Context, email: string, options: { role: string }): Promise<void> {
  const client = await context.client();
  const team = await context.team();
  const role = await roleNamed(client, team.id, options.role, ROLES);
  const member = await dataOf(
    client.api.PUT('/api/v1/teams/{teamId}/members', { params: { path: { teamId: team.id } }, body: { email, ...role } }),
  );
  context.show(member, () => `${context.colors.bold(email)} is now ${member.roleName} of ${team.slug}.`);
}

/** `hithe members remove`: takes a user out of a team. */
export async function removeMember(context: Context, email: string): Promise<void> {
  const { api } = await context.client();
  const team = await context.team();
  const members = await allItems((cursor) =>
    dataOf(api.GET('/api/v1/teams/{teamId}/members', { params: { path: { teamId: team.id }, query: cursorOf(cursor) } })),
  );
  const member = members.find((candidate) => candidate.email.toLowerCase() === email.toLowerCase());
  if (member === undefined)
    throw usageError(`${email} is not in the team ${team.slug}.`, { code: 'MEMBER_NOT_FOUND', fix: `hithe members list ${team.slug}` });
  await api.DELETE('/api/v1/teams/{teamId}/members/{userId}', { params: { path: { teamId: team.id, userId: member.userId } } });
  context.show({ email, team: team.slug, removed: true }, () => `${context.colors.bold(email)} is no longer in ${team.slug}.`);
}

/** A role by name, as the API takes it: one of `builtIn`, or a custom role of the team. */
export async function roleNamed<R extends string>(
  { api }: HitheClient,
  teamId: string,
  name: string,
  builtIn: readonly R[],
): Promise<{ role: R } | { roleId: string }> {
  const role = builtIn.find((candidate) => candidate === name);
  if (role !== undefined) return { role };
  const own = await allItems((cursor) =>
    dataOf(api.GET('/api/v1/teams/{teamId}/roles', { params: { path: { teamId }, query: cursorOf(cursor) } })),
  );
  const custom = own.find((candidate) => candidate.name === name);
  if (custom !== undefined) return { roleId: custom.id };
  throw noSuchRole(name, [...builtIn, ...own.map((candidate) => candidate.name)]);
}

/** The built-in role of that name, or an error that suggests the nearest. */
export function toRole(text: string): Role {
  const role = ROLES.find((candidate) => candidate === text);
  if (role === undefined) throw noSuchRole(text, ROLES);
  return role;
}

function noSuchRole(name: string, known: readonly string[]): Error {
  const near = nearest(name, known);
  return usageError(`"${name}" is not a role.`, {
    fix: near === undefined ? `Roles: ${known.join(', ')}.` : `Did you mean "${near}"? Roles: ${known.join(', ')}.`,
  });
}

function cursorOf(cursor: string | undefined): { limit: number; cursor?: string } {
  return cursor === undefined ? { limit: 200 } : { limit: 200, cursor };
}

async function teamNamed(context: Context, slug: string | undefined): Promise<{ id: string; slug: string }> {
  return slug === undefined ? context.team() : findTeam((await context.me()).teams, slug);
}
