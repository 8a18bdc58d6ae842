import { type ApiToken, type CreatedApiToken, allItems, dataOf } from '@hithe/client';
import { CliError, usageError } from '../cli-error.js';
import type { Context } from '../context.js';
import { EXIT } from '../exit-codes.js';
import { columns } from '../ui/columns.js';
import { type ProofOptions, withProof } from '../ui/proof.js';
import { age } from '../ui/time.js';

/** What `hithe tokens create` takes, for people and service accounts alike. */
export interface NewTokenOptions extends ProofOptions {
  name: string;
  scope: string[];
  expires: string;
  project?: string;
}

const DAYS: Readonly<Record<string, number>> = { d: 1, w: 7, '': 1 };
const LONGEST_DAYS = 365;
/** From here on the list says when a token ends in days, so that nobody is surprised. */
const SOON_MS = 14 * 86_400_000;

/** `hithe tokens`: one's own, or with `--of-team` those that act in the chosen team alone. */
export async function listTokens(context: Context, options: { ofTeam?: boolean }): Promise<void> {
  const tokens = await tokensOf(context, options);
  context.show(tokens, () => tokenTable(context, tokens));
}

/** `hithe tokens create`: the token alone goes to the standard output, so that a script can catch it. */
export async function createToken(context: Context, options: NewTokenOptions & { onlyTeam?: boolean }): Promise<void> {
  const { api } = await context.client();
  const team = options.onlyTeam === true ? { teamId: (await context.team()).id } : {};
  const body = { ...(await wishOf(context, options)), ...team };
  showCreated(context, await withProof(context, options, () => dataOf(api.POST('/api/v1/me/tokens', { body }))));
}

/** `hithe tokens revoke`: ends a token, by its id or by its name where that is the only one. */
export async function revokeToken(context: Context, wanted: string, options: { ofTeam?: boolean }): Promise<void> {
  const { api } = await context.client();
  const token = findToken(await tokensOf(context, options), wanted);
  const { id: tokenId, name } = token;
  if (options.ofTeam === true) {
    const { id: teamId } = await context.team();
    await api.DELETE('/api/v1/teams/{teamId}/tokens/{tokenId}', { params: { path: { teamId, tokenId } } });
  } else await api.DELETE('/api/v1/me/tokens/{tokenId}', { params: { path: { tokenId } } });
  context.show({ id: tokenId, name, revoked: true }, () => `The token ${context.colors.bold(name)} is revoked.`);
}

/** `hithe tokens scopes`: what a token can be allowed. */
export async function listScopes(context: Context): Promise<void> {
  const { api } = await context.client();
  const { items } = await dataOf(api.GET('/api/v1/scopes'));
  context.show(items, () => {
    const rows = items.map(({ scope, description }) => [context.colors.bold(scope), description]);
    return `${columns(rows)}\nOf one project: SCOPE:team/name, e.g. deploy:shop/guestbook.`;
  });
}

/** The body of a request for a token: scopes with their project, days of life. */
export async function wishOf(
  context: Context,
  options: NewTokenOptions,
): Promise<{ name: string; scopes: string[]; expiresInDays: number }> {
  const scopes = options.scope.flatMap((text) => text.split(',')).filter((text) => text !== '');
  const expiresInDays = daysOf(options.expires);
  if (options.project === undefined) return { name: options.name, scopes, expiresInDays };
  const { slug } = await context.team();
  const project = options.project.includes('/') ? options.project : `${slug}/${options.project}`;
  const narrowed = scopes.map((scope) => (/^(?:read|deploy|secret:write)$/.test(scope) ? `${scope}:${project}` : scope));
  return { name: options.name, scopes: narrowed, expiresInDays };
}

/** The token to the standard output, and what to know of it to the standard error. */
export function showCreated(context: Context, created: CreatedApiToken): void {
  context.show(created, () => created.token);
  const scopes = created.scopes.join(', ');
  context.note(
    `Shown only now. It may: ${scopes}; until ${created.expiresAt.slice(0, 10)}. Use it as HITHE_TOKEN, or Authorization: Bearer.`,
  );
}

/** The token of that id, or the only one of that name. */
export function findToken(tokens: readonly ApiToken[], wanted: string): ApiToken {
  const [token, second] = tokens.filter(({ id, name }) => id === wanted || name === wanted);
  if (token === undefined)
    throw new CliError(EXIT.notFound, `There is no token "${wanted}".`, { code: 'TOKEN_NOT_FOUND', fix: 'List them: hithe tokens' });
  if (second !== undefined)
    throw usageError(`There are several tokens named "${wanted}".`, { fix: `Give the id: hithe tokens revoke ${token.id}` });
  return token;
}

/** Tokens as a table. */
export function tokenTable(context: Context, tokens: readonly ApiToken[]): string {
  const rows = tokens.map((token) => [token.name, token.scopes.join(' '), endOf(context, token), usedText(token), token.id]);
  return columns([['NAME', 'SCOPES', 'EXPIRES', 'LAST USED', 'ID'], ...rows]);
}

function endOf({ colors }: Context, { expired, expiresAt }: ApiToken): string {
  if (expired) return colors.red('expired');
  const day = expiresAt.slice(0, 10);
  return Date.parse(expiresAt) - Date.now() < SOON_MS ? colors.yellow(day) : day;
}

function usedText({ lastUsedAt, lastUsedAddress }: ApiToken): string {
  return lastUsedAt === null ? 'never' : `${age(lastUsedAt)} ago from ${lastUsedAddress ?? '?'}`;
}

async function tokensOf(context: Context, { ofTeam }: { ofTeam?: boolean }): Promise<ApiToken[]> {
  const { api } = await context.client();
  const pageOf = (cursor: string | undefined): { cursor?: string } => (cursor === undefined ? {} : { cursor });
  if (ofTeam !== true) return allItems((cursor) => dataOf(api.GET('/api/v1/me/tokens', { params: { query: pageOf(cursor) } })));
  const { id: teamId } = await context.team();
  return allItems((cursor) => dataOf(api.GET('/api/v1/teams/{teamId}/tokens', { params: { path: { teamId }, query: pageOf(cursor) } })));
}

function daysOf(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,3})([dw]?)$/.exec(text) ?? [];
  const days = Number(count) * (DAYS[unit] ?? 0);
  if (days >= 1 && days <= LONGEST_DAYS) return days;
  throw usageError(`"${text}" is no life of a token.`, { fix: 'Give days or weeks, at most a year: --expires 30d, --expires 12w.' });
}
