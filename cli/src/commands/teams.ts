import { type Team, allItems, dataOf } from '@hithe/client';
import { type Context, findTeam } from '../context.js';
import { columns } from '../ui/columns.js';
import { confirmByName } from '../ui/confirm.js';
import { sanitizeLine } from '../ui/sanitize.js';
import { age } from '../ui/time.js';

/** `hithe teams create`: makes a team that the caller owns. */
export async function createTeam(context: Context, name: string, options: { slug?: string }): Promise<void> {
  const { api } = await context.client();
  const team = await dataOf(api.POST('/api/v1/teams', { body: { name, ...(options.slug === undefined ? {} : { slug: options.slug }) } }));
  context.show(team, () => `Created the team ${context.colors.bold(team.slug)}.`);
  context.note(`next: hithe use ${team.slug}`);
}

/** `hithe teams`: the teams that the caller can see. */
export async function listTeams(context: Context): Promise<void> {
  const teams = await allTeams(context);
  context.show(teams, () =>
    columns([
      ['TEAM', 'NAME', 'ROLE', 'ID'],
      ...teams.map(({ slug, name, role, id }) => [slug, sanitizeLine(name, false), role ?? '-', id]),
    ]),
  );
}

/** `hithe teams show`: one team. */
export async function showTeam(context: Context, slug: string | undefined): Promise<void> {
  const team = await seenTeam(context, slug);
  context.show(team, () =>
    columns([
      ['team', team.slug],
      ['name', sanitizeLine(team.name, false)],
      ['your role', team.role ?? 'none: you see it as a platform admin'],
      ['personal', team.personal ? 'yes' : 'no'],
      ['tenant', String(team.number)],
      ['created', `${age(team.createdAt)} ago`],
      ['id', team.id],
    ]),
  );
}

/** `hithe teams rename`: another name for people; the slug stays. */
export async function renameTeam(context: Context, slug: string, name: string): Promise<void> {
  const { api } = await context.client();
  const { id } = await seenTeam(context, slug);
  const team = await dataOf(api.PATCH('/api/v1/teams/{teamId}', { params: { path: { teamId: id } }, body: { name } }));
  context.show(team, () => `${context.colors.bold(team.slug)} is now called ${sanitizeLine(team.name, false)}.`);
}

/** `hithe teams delete`: asks for the slug again; a team with projects stays. */
export async function deleteTeam(context: Context, slug: string, options: { confirm?: string }): Promise<void> {
  const { api } = await context.client();
  const team = await seenTeam(context, slug);
  const thing = { name: team.slug, doing: `Deleting the team ${team.slug}`, command: `hithe teams delete ${team.slug}` };
  await confirmByName(context, thing, options.confirm);
  await api.DELETE('/api/v1/teams/{teamId}', { params: { path: { teamId: team.id }, query: { confirm: team.slug } } });
  context.show(
    { ...team, deleted: true },
    () => `The team ${context.colors.bold(team.slug)} is gone; the audit log keeps what was done in it.`,
  );
}

/** `hithe teams transfer`: makes somebody else its owner and the caller an admin. */
export async function transferTeam(context: Context, slug: string, email: string, options: { confirm?: string }): Promise<void> {
  const { api } = await context.client();
  const { id, ...named } = await seenTeam(context, slug);
  const thing = {
    name: named.slug,
    doing: `Giving the team ${named.slug} to ${email}`,
    command: `hithe teams transfer ${named.slug} ${email}`,
  };
  await confirmByName(context, thing, options.confirm);
  const team = await dataOf(api.POST('/api/v1/teams/{teamId}/transfer', { params: { path: { teamId: id } }, body: { email } }));
  context.show(team, () => {
    const left = team.role === null ? '' : ` You are now ${team.role}.`;
    return `${context.colors.bold(email)} now owns ${team.slug}.${left}`;
  });
}

/** All teams that the caller can see; for platform admins that is every team. */
async function allTeams(context: Context): Promise<Team[]> {
  const { api } = await context.client();
  return allItems((cursor) =>
    dataOf(api.GET('/api/v1/teams', { params: { query: { limit: 200, ...(cursor === undefined ? {} : { cursor }) } } })),
  );
}

/** The team of that slug or id among those that the caller can see, or the chosen one. */
export async function seenTeam(context: Context, wanted: string | undefined): Promise<Team> {
  const { api } = await context.client();
  const { id } = wanted === undefined ? await context.team() : findTeam(await allTeams(context), wanted);
  return dataOf(api.GET('/api/v1/teams/{teamId}', { params: { path: { teamId: id } } }));
}
