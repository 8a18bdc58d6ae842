import { type ApiToken, type ServiceAccount, allItems, dataOf } from '@hithe/client';
import { CliError } from '../cli-error.js';
import type { Context } from '../context.js';
import { EXIT } from '../exit-codes.js';
import { columns } from '../ui/columns.js';
import { confirmByName } from '../ui/confirm.js';
import { withProof } from '../ui/proof.js';
import { nearest } from '../ui/suggest.js';
import { age } from '../ui/time.js';
import { roleNamed } from './people.js';
import { type NewTokenOptions, findToken, showCreated, tokenTable, wishOf } from './tokens.js';

/** Never owner: a team needs a person. */
const ROLES = ['admin', 'developer', 'viewer', 'auditor'] as const;

/** `hithe service-accounts`: those of the chosen team. */
export async function listAccounts(context: Context): Promise<void> {
  const accounts = await accountsOf(context);
  context.show(accounts, () =>
    columns([
      ['NAME', 'ROLE', 'AGE', 'ADDRESS', 'ID'],
      ...accounts.map(({ name, roleName, createdAt, email, id }) => [name, roleName ?? '-', age(createdAt), email, id]),
    ]),
  );
}

/** `hithe service-accounts create`. */
export async function createAccount(context: Context, name: string, options: { role: string }): Promise<void> {
  const { api } = await context.client();
  const { id: teamId, slug } = await context.team();
  const body = { name, ...(await roleOf(context, teamId, options.role)) };
  const made = await dataOf(api.POST('/api/v1/teams/{teamId}/service-accounts', { params: { path: { teamId } }, body }));
  context.show(made, () => `Created ${context.colors.bold(made.email)}, ${made.roleName ?? ''} of ${slug}.`);
  context.note(`next: hithe service-accounts tokens create ${name} --name ci --scope read,deploy`);
}

/** `hithe service-accounts set-role`. */
export async function setAccountRole(context: Context, name: string, options: { role: string }): Promise<void> {
  const { api } = await context.client();
  const path = await pathOf(context, name);
  const body = await roleOf(context, path.teamId, options.role);
  const changed = await dataOf(api.PATCH('/api/v1/teams/{teamId}/service-accounts/{accountId}', { params: { path }, body }));
  context.show(changed, () => `${context.colors.bold(changed.email)} is now ${changed.roleName ?? ''}.`);
}

/** `hithe service-accounts delete`: asks for the name unless `--confirm` gives it. */
export async function deleteAccount(context: Context, name: string, options: { confirm?: string }): Promise<void> {
  const { api } = await context.client();
  const path = await pathOf(context, name);
  const doing = `Deleting the service account ${name}, which ends its tokens,`;
  await confirmByName(context, { name, doing, command: `hithe service-accounts delete ${name}` }, options.confirm);
  await api.DELETE('/api/v1/teams/{teamId}/service-accounts/{accountId}', { params: { path } });
  context.show({ id: path.accountId, name, deleted: true }, () => `The service account ${context.colors.bold(name)} is gone.`);
}

/** `hithe service-accounts tokens list`. */
export async function listAccountTokens(context: Context, account: string): Promise<void> {
  const tokens = await tokensOf(context, await pathOf(context, account));
  context.show(tokens, () => tokenTable(context, tokens));
}

/** `hithe service-accounts tokens create`. */
export async function createAccountToken(context: Context, account: string, options: NewTokenOptions): Promise<void> {
  const { api } = await context.client();
  const path = await pathOf(context, account);
  const body = await wishOf(context, options);
  const created = await withProof(context, options, () =>
    dataOf(api.POST('/api/v1/teams/{teamId}/service-accounts/{accountId}/tokens', { params: { path }, body })),
  );
  showCreated(context, created);
}

/** `hithe service-accounts tokens revoke`. */
export async function revokeAccountToken(context: Context, account: string, wanted: string): Promise<void> {
  const { api } = await context.client();
  const path = await pathOf(context, account);
  const { id: tokenId, name } = findToken(await tokensOf(context, path), wanted);
  await api.DELETE('/api/v1/teams/{teamId}/service-accounts/{accountId}/tokens/{tokenId}', { params: { path: { ...path, tokenId } } });
  context.show({ id: tokenId, name, revoked: true }, () => `The token ${context.colors.bold(name)} is revoked.`);
}

async function roleOf(context: Context, teamId: string, role: string) {
  return roleNamed(await context.client(), teamId, role, ROLES);
}

async function accountsOf(context: Context): Promise<ServiceAccount[]> {
  const { api } = await context.client();
  const { id: teamId } = await context.team();
  return allItems((cursor) =>
    dataOf(
      api.GET('/api/v1/teams/{teamId}/service-accounts', { params: { path: { teamId }, query: cursor === undefined ? {} : { cursor } } }),
    ),
  );
}

async function tokensOf(context: Context, path: { teamId: string; accountId: string }): Promise<ApiToken[]> {
  const { api } = await context.client();
  return allItems((cursor) =>
    dataOf(
      api.GET('/api/v1/teams/{teamId}/service-accounts/{accountId}/tokens', {
        params: { path, query: cursor === undefined ? {} : { cursor } },
      }),
    ),
  );
}

async function pathOf(context: Context, wanted: string): Promise<{ teamId: string; accountId: string }> {
  const accounts = await accountsOf(context);
  const account = accounts.find(({ id, name, email }) => id === wanted || name === wanted || email === wanted);
  if (account !== undefined) return { teamId: account.teamId, accountId: account.id };
  const near = nearest(
    wanted,
    accounts.map(({ name }) => name),
  );
  throw new CliError(EXIT.notFound, `There is no service account "${wanted}" in this team.`, {
    code: 'SERVICE_ACCOUNT_NOT_FOUND',
    fix: near === undefined ? 'hithe service-accounts' : `Did you mean "${near}"? See: hithe service-accounts`,
  });
}
