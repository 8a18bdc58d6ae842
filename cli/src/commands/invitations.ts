import { allItems, dataOf, tokensOf } from '@hithe/client';
import { type Context, DEFAULT_SERVER, normaliseServer } from '../context.js';
import { columns } from '../ui/columns.js';
import { askSecret } from '../ui/prompt.js';
import { askTwice, linesOf, tokenOf } from './account.js';

/** `hithe invitations`: the open ones to the chosen team, or with `--platform` to the platform. */
export async function listInvitations(context: Context, options: { platform?: boolean }): Promise<void> {
  const { api } = await context.client();
  const query = (cursor: string | undefined): { cursor?: string } => (cursor === undefined ? {} : { cursor });
  const teamId = options.platform === true ? undefined : (await context.team()).id;
  const invitations = await allItems((cursor) =>
    teamId === undefined
      ? dataOf(api.GET('/api/v1/invitations', { params: { query: query(cursor) } }))
      : dataOf(api.GET('/api/v1/teams/{teamId}/invitations', { params: { path: { teamId }, query: query(cursor) } })),
  );
  context.show(invitations, () =>
    columns([
      ['EMAIL', 'ROLE', 'EXPIRES', 'ID'],
      ...invitations.map(({ email, role, expiresAt, id }) => [email, role ?? '-', expiresAt.slice(0, 10), id]),
    ]),
  );
}

/** `hithe invitations revoke`: makes a link useless. */
export async function revokeInvitation(context: Context, invitationId: string): Promise<void> {
  const { api } = await context.client();
  await api.DELETE('/api/v1/invitations/{invitationId}', { params: { path: { invitationId } } });
  context.show({ id: invitationId, revoked: true }, () => `The invitation ${invitationId} is revoked.`);
}

/** `hithe invitations accept`: as whoever is logged in, or with `--new-account` with a password for a new account, and logs in. */
export async function acceptInvitation(
  context: Context,
  options: { newAccount?: boolean; stdin?: boolean; server?: string },
): Promise<void> {
  const lines = options.stdin === true ? await linesOf(context) : undefined;
  const token = tokenOf(lines ? (lines[0] ?? '') : await askSecret(context.io, 'Link or token: '));
  if (options.newAccount === true) {
    await acceptAsNewcomer(context, token, lines ? (lines[1] ?? '') : await askTwice(context), options.server);
    return;
  }
  const { api } = await context.client();
  const accepted = await dataOf(api.POST('/api/v1/me/invitations/accept', { body: { token } }));
  context.show(accepted, () => (accepted.role === null ? 'Accepted.' : `You are now ${accepted.role} of the team.`));
  context.note('next: hithe teams');
}

async function acceptAsNewcomer(context: Context, token: string, password: string, given: string | undefined): Promise<void> {
  const server = given === undefined ? ((await context.chosenServer()) ?? DEFAULT_SERVER) : normaliseServer(given);
  const { api } = context.clientOf(server);
  const grant = await dataOf(api.POST('/api/v1/auth/invitations/accept', { body: { token, password } }));
  const { email } = grant.user;
  await context.credentials.update(server, () => Promise.resolve({ ...tokensOf(grant), email }));
  await context.saveConfig({ ...(await context.config()), server });
  context.show({ server, email }, () => `Your account ${context.colors.bold(email)} is open, and you are logged in to ${server}.`);
  context.note('next: hithe teams');
}
