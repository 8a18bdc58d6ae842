import { allItems, dataOf } from '@hithe/client';
import { usageError } from '../cli-error.js';
import type { Context } from '../context.js';
import { columns } from '../ui/columns.js';
import { roleNamed } from './people.js';

const PROJECT_ROLES = ['admin', 'developer', 'viewer', 'auditor'] as const;

/** `hithe grants`: who has a role on a project beside their role in the team. */
export async function listGrants(context: Context, name: string): Promise<void> {
  const project = await context.project(name);
  const grants = await grantsOf(context, project.id);
  context.show(grants, () =>
    grants.length === 0
      ? `Nobody has a grant on ${project.name}.`
      : columns([['EMAIL', 'ROLE ON THE PROJECT'], ...grants.map(({ email, roleName }) => [email, roleName])]),
  );
}

/** `hithe grants add`: gives a member a role on one project. */
export async function addGrant(context: Context, name: string, email: string, options: { role: string }): Promise<void> {
  const client = await context.client();
  const project = await context.project(name);
  const role = await roleNamed(client, project.teamId, options.role, PROJECT_ROLES);
  const grant = await dataOf(
    client.api.PUT('/api/v1/projects/{projectId}/grants', { params: { path: { projectId: project.id } }, body: { email, ...role } }),
  );
  context.show(grant, () => `${context.colors.bold(email)} is now ${grant.roleName} of ${project.name}, beside the role in the team.`);
}

/** `hithe grants remove`: takes the role on the project away. */
export async function removeGrant(context: Context, name: string, email: string): Promise<void> {
  const { api } = await context.client();
  const project = await context.project(name);
  const grant = (await grantsOf(context, project.id)).find((candidate) => candidate.email.toLowerCase() === email.toLowerCase());
  if (grant === undefined)
    throw usageError(`${email} has no grant on ${project.name}.`, { code: 'GRANT_NOT_FOUND', fix: `hithe grants list ${project.name}` });
  await api.DELETE('/api/v1/projects/{projectId}/grants/{userId}', { params: { path: { projectId: project.id, userId: grant.userId } } });
  context.show(
    { email, project: project.name, removed: true },
    () => `${context.colors.bold(email)} has no grant on ${project.name} any more.`,
  );
}

/** `hithe protect` and `unprotect`: whether developers need a grant to change what runs. */
export async function protect(context: Context, name: string, on: boolean): Promise<void> {
  const { api } = await context.client();
  const project = await context.project(name);
  const answer = await dataOf(
    api.PUT('/api/v1/projects/{projectId}/protection', { params: { path: { projectId: project.id } }, body: { protected: on } }),
  );
  context.show({ project: project.name, ...answer }, () =>
    answer.protected
      ? `${context.colors.bold(project.name)} is protected: developers need a grant now.`
      : `${context.colors.bold(project.name)} is not protected any more.`,
  );
  if (answer.protected) context.note(`next: hithe grants add ${project.name} EMAIL --role developer`);
}

async function grantsOf(context: Context, projectId: string) {
  const { api } = await context.client();
  return allItems((cursor) =>
    dataOf(
      api.GET('/api/v1/projects/{projectId}/grants', {
        params: { path: { projectId }, query: { limit: 200, ...(cursor === undefined ? {} : { cursor }) } },
      }),
    ),
  );
}
