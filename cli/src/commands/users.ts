import { type HitheClient, allItems, dataOf } from '@hithe/client';
import { CliError } from '../cli-error.js';
import type { Context } from '../context.js';
import { EXIT } from '../exit-codes.js';
import { columns } from '../ui/columns.js';
import { confirmByName } from '../ui/confirm.js';
import { readSecretFromStdin } from '../ui/prompt.js';
import { sanitizeLine } from '../ui/sanitize.js';
import { nearest } from '../ui/suggest.js';
import { age } from '../ui/time.js';
import { toRole } from './people.js';

interface FoundUser {
  id: string;
  email: string;
  platformAdmin: boolean;
  disabled: boolean;
  createdAt: string;
}

/** `hithe users create`: makes a user; the server makes up a password when none is given, and it is shown once. */
export async function createUser(context: Context, options: { email: string; passwordStdin?: boolean }): Promise<void> {
  const { api } = await context.client();
  const password = options.passwordStdin === true ? await readSecretFromStdin(context.io) : undefined;
  const user = await dataOf(api.POST('/api/v1/users', { body: { email: options.email, ...(password === undefined ? {} : { password }) } }));
  context.show(user, () => {
    const made = `Created ${context.colors.bold(user.email)}.`;
    return user.initialPassword === undefined ? made : `${made} Initial password, shown only now: ${user.initialPassword}`;
  });
}

/** `hithe users`: all users, for platform admins. */
export async function listUsers(context: Context): Promise<void> {
  const users = await allUsers(await context.client());
  context.show(users, () =>
    columns([
      ['EMAIL', 'ADMIN', 'STATE', 'SINCE', 'ID'],
      ...users.map((user) => [user.email, user.platformAdmin ? 'yes' : 'no', stateOf(user), age(user.createdAt), user.id]),
    ]),
  );
}

/** `hithe users show`: one user and where they are logged in. */
export async function showUser(context: Context, who: string): Promise<void> {
  const client = await context.client();
  const user = await userNamed(client, who);
  const params = { path: { userId: user.id } };
  const sessions = await allItems((cursor) =>
    dataOf(client.api.GET('/api/v1/users/{userId}/sessions', { params: { ...params, query: cursor === undefined ? {} : { cursor } } })),
  );
  context.show({ ...user, sessions }, () => {
    const head = `${context.colors.bold(user.email)}  ${stateOf(user)}${user.platformAdmin ? ', platform admin' : ''}\n`;
    const rows = sessions.map((session) => [age(session.lastUsedAt), session.address, sanitizeLine(session.userAgent, false)]);
    return head + (rows.length === 0 ? 'logged in nowhere' : columns([['LAST USED', 'ADDRESS', 'CLIENT'], ...rows]));
  });
}

/** `hithe users invite`: makes a link for somebody to join the chosen team, or with `--platform` the platform. */
export async function inviteUser(
  context: Context,
  email: string,
  options: { role?: string; platform?: boolean; days?: number },
): Promise<void> {
  const { api } = await context.client();
  const body = { email, ...(options.days === undefined ? {} : { days: options.days }) };
  const invitation =
    options.platform === true
      ? await dataOf(api.POST('/api/v1/invitations', { body }))
      : await dataOf(
          api.POST('/api/v1/teams/{teamId}/invitations', {
            params: { path: { teamId: (await context.team()).id } },
            body: { ...body, role: toRole(options.role ?? 'developer') },
          }),
        );
  context.show(invitation, () => {
    const sent = invitation.mailed ? 'The link was mailed too; it' : 'Hand this link over; it';
    return `Invited ${context.colors.bold(email)}. ${sent} works once, until ${invitation.expiresAt.slice(0, 10)}:\n${invitation.link}`;
  });
}

/** `hithe users disable` and `enable`, `grant-admin` and `revoke-admin`. */
export async function changeUser(
  context: Context,
  who: string,
  change: { disabled?: boolean; platformAdmin?: boolean },
  done: string,
): Promise<void> {
  const client = await context.client();
  const { id } = await userNamed(client, who);
  const user = await dataOf(client.api.PATCH('/api/v1/users/{userId}', { params: { path: { userId: id } }, body: change }));
  context.show(user, () => `${context.colors.bold(user.email)} ${done}.`);
}

/** `hithe users delete`: asks for the address again. */
export async function deleteUser(context: Context, who: string, options: { confirm?: string }): Promise<void> {
  const client = await context.client();
  const user = await userNamed(client, who);
  await confirmByName(
    context,
    { name: user.email, doing: `Deleting ${user.email} with the personal team`, command: `hithe users delete ${user.email}` },
    options.confirm,
  );
  await client.api.DELETE('/api/v1/users/{userId}', { params: { path: { userId: user.id } } });
  context.show({ ...user, deleted: true }, () => `${context.colors.bold(user.email)} is deleted; the audit log keeps what they did.`);
}

/** `hithe users reset-password`: makes a link with which the user chooses another password. */
export async function resetPassword(context: Context, who: string): Promise<void> {
  const client = await context.client();
  const user = await userNamed(client, who);
  const made = await dataOf(client.api.POST('/api/v1/users/{userId}/password-reset', { params: { path: { userId: user.id } } }));
  context.show({ email: user.email, ...made }, () => {
    const sent = made.mailed ? 'The link was mailed too; it' : 'Hand this link over; it';
    return `${sent} works once, within an hour, and then ends all sessions of ${user.email}:\n${made.link}`;
  });
}

/** `hithe users end-sessions`: logs a user out everywhere. */
export async function endSessions(context: Context, who: string): Promise<void> {
  const client = await context.client();
  const user = await userNamed(client, who);
  const ended = await dataOf(client.api.DELETE('/api/v1/users/{userId}/sessions', { params: { path: { userId: user.id } } }));
  context.show({ email: user.email, ...ended }, () => `Ended ${ended.endedSessions} sessions of ${context.colors.bold(user.email)}.`);
}

function allUsers({ api }: HitheClient): Promise<FoundUser[]> {
  return allItems((cursor) => dataOf(api.GET('/api/v1/users', { params: { query: cursor === undefined ? {} : { cursor, limit: 200 } } })));
}

/** The user of that address or id, or an error that suggests the nearest address. */
async function userNamed(client: HitheClient, who: string): Promise<FoundUser> {
  const users = await allUsers(client);
  const wanted = who.toLowerCase();
  const found = users.find(({ id, email }) => email === wanted || id === wanted);
  if (found !== undefined) return found;
  const near = nearest(
    wanted,
    users.map(({ email }) => email),
  );
  throw new CliError(EXIT.notFound, `There is no user ${who} that you can see.`, {
    code: 'USER_NOT_FOUND',
    fix: near === undefined ? 'hithe users list' : `Did you mean ${near}?`,
  });
}

function stateOf({ disabled }: { disabled: boolean }): string {
  return disabled ? 'disabled' : 'active';
}
