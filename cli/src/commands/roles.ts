import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type HitheClient, type components, allItems, dataOf } from '@hithe/client';
import { parse } from 'yaml';
import { CliError, usageError } from '../cli-error.js';
import { isMissing } from '../config/config-file.js';
import type { Context } from '../context.js';
import { EXIT } from '../exit-codes.js';
import { columns } from '../ui/columns.js';
import { confirmByName } from '../ui/confirm.js';
import { sanitizeLine } from '../ui/sanitize.js';
import { nearest } from '../ui/suggest.js';

type Role = components['schemas']['RoleDto'];
type Rule = Record<string, unknown>;

/** `hithe roles`: the custom roles of the team. */
export async function listRoles(context: Context): Promise<void> {
  const team = await context.team();
  const roles = await rolesOf(await context.client(), team.id);
  context.show(roles, () => {
    if (roles.length === 0) return `The team ${team.slug} has no roles of its own. The built-in ones: hithe roles table`;
    return columns([
      ['ROLE', 'RULES', 'DESCRIPTION'],
      ...roles.map((role) => [role.name, String(role.rules.length), sanitizeLine(role.description, false)]),
    ]);
  });
}

/** `hithe roles show`: one role with its rules. */
export async function showRole(context: Context, name: string): Promise<void> {
  const role = await find(context, name);
  context.show(role, () => {
    const head = `${context.colors.bold(role.name)}  ${sanitizeLine(role.description, false)}\n\n`;
    return head + columns([['', 'ACTIONS', 'OF', 'ONLY'], ...role.rules.map(rowOf)]);
  });
}

/** `hithe roles create`: makes a role out of a file of rules. */
export async function createRole(context: Context, name: string, options: { file: string; description?: string }): Promise<void> {
  const client = await context.client();
  const team = await context.team();
  const rules = await readRules(context, client, team.id, options.file);
  const body = { name, rules, ...(options.description === undefined ? {} : { description: options.description }) };
  const role = await dataOf(client.api.POST('/api/v1/teams/{teamId}/roles', { params: { path: { teamId: team.id } }, body }));
  context.show(role, () => `Made the role ${context.colors.bold(role.name)}.`);
  context.note(`next: hithe members add EMAIL --role ${role.name}`);
}

/** `hithe roles update`: changes a role for everybody who has it. */
export async function updateRole(
  context: Context,
  name: string,
  options: { file?: string; description?: string; rename?: string },
): Promise<void> {
  const client = await context.client();
  const { id, teamId } = await find(context, name);
  const body = {
    ...(options.file === undefined ? {} : { rules: await readRules(context, client, teamId, options.file) }),
    ...(options.description === undefined ? {} : { description: options.description }),
    ...(options.rename === undefined ? {} : { name: options.rename }),
  };
  if (Object.keys(body).length === 0)
    throw usageError('There is nothing to change.', { fix: `hithe roles update ${name} -f rules.yaml   (or --description, --rename)` });
  const role = await dataOf(client.api.PATCH('/api/v1/teams/{teamId}/roles/{roleId}', { params: { path: { teamId, roleId: id } }, body }));
  context.show(role, () => `Changed the role ${context.colors.bold(role.name)}; it holds from the next request on.`);
}

/** `hithe roles delete`: asks for the name again; a role that somebody has stays. */
export async function deleteRole(context: Context, name: string, options: { confirm?: string }): Promise<void> {
  const { api } = await context.client();
  const role = await find(context, name);
  const thing = { name: role.name, doing: `Deleting the role ${role.name}`, command: `hithe roles delete ${role.name}` };
  await confirmByName(context, thing, options.confirm);
  await api.DELETE('/api/v1/teams/{teamId}/roles/{roleId}', { params: { path: { teamId: role.teamId, roleId: role.id } } });
  context.show({ ...role, deleted: true }, () => `The role ${context.colors.bold(role.name)} is gone.`);
}

/** `hithe roles table`: what each built-in role may do. */
export async function roleTable(context: Context): Promise<void> {
  const { api } = await context.client();
  const table = await dataOf(api.GET('/api/v1/roles'));
  context.show(table, () =>
    columns([
      ['ACTION', ...table.roles.map((role) => role.toUpperCase().replaceAll('-', ' '))],
      ...[...table.rows, ...table.granted].map((row) => [row.title, ...table.roles.map((role) => row.cells[role] ?? '')]),
    ]),
  );
}

function rowOf({ action, subject, conditions, inverted }: Role['rules'][number]): string[] {
  return [inverted === true ? 'not' : '', action.join(', '), subject, conditions === undefined ? '' : JSON.stringify(conditions)];
}

function rolesOf({ api }: HitheClient, teamId: string): Promise<Role[]> {
  return allItems((cursor) =>
    dataOf(
      api.GET('/api/v1/teams/{teamId}/roles', {
        params: { path: { teamId }, query: { limit: 200, ...(cursor === undefined ? {} : { cursor }) } },
      }),
    ),
  );
}

async function find(context: Context, name: string): Promise<Role> {
  const team = await context.team();
  const roles = await rolesOf(await context.client(), team.id);
  const role = roles.find((candidate) => candidate.name === name || candidate.id === name);
  if (role !== undefined) return role;
  const near = nearest(
    name,
    roles.map((candidate) => candidate.name),
  );
  throw new CliError(EXIT.notFound, `The team "${team.slug}" has no role "${name}" of its own.`, {
    code: 'ROLE_NOT_FOUND',
    fix: near === undefined ? 'hithe roles' : `Did you mean "${near}"? See: hithe roles`,
  });
}

/** Rules from a YAML or JSON file: a list, or `rules:` with one. A rule may name `projects`; the server takes their ids. */
async function readRules(context: Context, client: HitheClient, teamId: string, file: string): Promise<Rule[]> {
  const text = await readFile(resolve(context.io.cwd, file), 'utf8').catch((error: unknown) => {
    throw isMissing(error) ? usageError(`There is no file ${file}.`, { code: 'FILE_NOT_FOUND', fix: 'Give one with -f.' }) : error;
  });
  const given: unknown = parse(text);
  const rules = isRecord(given) ? given['rules'] : given;
  if (!Array.isArray(rules) || !rules.every(isRecord))
    throw usageError(`${file} holds no list of rules.`, { fix: '- action: [read, deploy]\n  subject: Project' });
  return Promise.all(rules.map((rule) => withProjectIds(client, teamId, rule)));
}

async function withProjectIds({ api }: HitheClient, teamId: string, rule: Rule): Promise<Rule> {
  const { projects, ...rest } = rule;
  if (projects === undefined) return rule;
  const names = [projects].flat().filter((name) => typeof name === 'string');
  const ids = await Promise.all(names.map((name) => projectId(api, teamId, name)));
  return { ...rest, conditions: { ...(isRecord(rest['conditions']) ? rest['conditions'] : {}), id: { $in: ids } } };
}

async function projectId(api: HitheClient['api'], teamId: string, name: string): Promise<string> {
  const { items } = await dataOf(api.GET('/api/v1/projects', { params: { query: { teamId, name } } }));
  const [project] = items;
  if (project !== undefined) return project.id;
  throw usageError(`There is no project "${name}" in this team.`, { code: 'PROJECT_NOT_FOUND', fix: 'hithe projects' });
}

function isRecord(value: unknown): value is Rule {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
