import { allItems, dataOf } from '@hithe/client';
import { usageError } from '../cli-error.js';
import { type Context, DEFAULT_SERVER, normaliseServer } from '../context.js';
import { columns } from '../ui/columns.js';
import { askSecret } from '../ui/prompt.js';
import { sanitizeLine } from '../ui/sanitize.js';
import { age } from '../ui/time.js';

/** `hithe sessions`: where I am logged in. */
export async function listSessions(context: Context): Promise<void> {
  const { api } = await context.client();
  const sessions = await allItems((cursor) =>
    dataOf(api.GET('/api/v1/me/sessions', { params: { query: cursor === undefined ? {} : { cursor } } })),
  );
  context.show(sessions, () =>
    columns([
      ['', 'SINCE', 'LAST USED', 'ADDRESS', 'BY', 'CLIENT', 'ID'],
      ...sessions.map((session) => [
        session.current ? '*' : ' ',
        age(session.createdAt),
        age(session.lastUsedAt),
        session.address,
        session.methods.join('+'),
        sanitizeLine(session.userAgent, false),
        session.id,
      ]),
    ]),
  );
}

/** `hithe sessions revoke`: ends one of my sessions. */
export async function revokeSession(context: Context, sessionId: string): Promise<void> {
  const { api } = await context.client();
  await api.DELETE('/api/v1/me/sessions/{sessionId}', { params: { path: { sessionId } } });
  context.show({ id: sessionId, revoked: true }, () => `The session ${sessionId} has ended.`);
}

/** `hithe sessions revoke-others`: logs me out everywhere but here. */
export async function revokeOthers(context: Context): Promise<void> {
  const { api } = await context.client();
  const ended = await dataOf(api.DELETE('/api/v1/me/sessions'));
  context.show(ended, () => `Ended ${ended.endedSessions} other sessions.`);
}

/** `hithe password change`: asks for the current and twice for the new password, or reads the two from the standard input. */
export async function changePassword(context: Context, options: { stdin?: boolean }): Promise<void> {
  const { api } = await context.client();
  const { currentPassword, newPassword } = await currentAndNew(context, options.stdin === true);
  const result = await dataOf(api.POST('/api/v1/me/password', { body: { currentPassword, newPassword } }));
  context.show(result, () => newPasswordText(result));
}

/** `hithe password forgot`: asks for a link by mail. */
export async function forgotPassword(context: Context, options: { email: string; server?: string }): Promise<void> {
  const { api } = context.clientOf(await serverOf(context, options.server));
  const answer = await dataOf(api.POST('/api/v1/auth/password-reset/request', { body: { email: options.email } }));
  context.show(answer, () => answer.message);
}

/** `hithe password reset`: takes the link, by question or as the first line of the standard input, and a new password. */
export async function resetPassword(context: Context, options: { stdin?: boolean; server?: string }): Promise<void> {
  const [link = '', password = ''] =
    options.stdin === true ? await linesOf(context) : [await askSecret(context.io, 'Link or token: '), await askTwice(context)];
  const { api } = context.clientOf(await serverOf(context, options.server));
  const result = await dataOf(api.POST('/api/v1/auth/password-reset/confirm', { body: { token: tokenOf(link), password } }));
  context.show(result, () => newPasswordText(result));
}

/** What a link carries behind its #, or the token itself. */
export function tokenOf(link: string): string {
  const token = link.trim().split('#').at(-1) ?? '';
  if (/^hithe_[a-z]{2}_[\w-]+$/.test(token)) return token;
  throw usageError('This is neither a link nor a token of Hithe.', { fix: 'Paste the whole link, with what stands behind the #.' });
}

/** The first lines of the standard input: secrets that are not to be in the list of processes. */
export async function linesOf(context: Context): Promise<string[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of context.io.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8').split(/\r?\n/);
}

/** Asks for a new password twice, since nobody sees what they type. */
export async function askTwice(context: Context): Promise<string> {
  if (context.io.stdin.isTTY !== true) {
    throw usageError('There is no terminal to ask for the password on.', {
      fix: 'Add --stdin, and write the values to the standard input, one a line.',
    });
  }
  const first = await askSecret(context.io, 'New password: ');
  if ((await askSecret(context.io, 'Again: ')) === first) return first;
  throw usageError('The two are not the same; nothing was changed.');
}

async function currentAndNew(context: Context, fromStdin: boolean): Promise<{ currentPassword: string; newPassword: string }> {
  if (!fromStdin && context.io.stdin.isTTY === true) {
    return { currentPassword: await askSecret(context.io, 'Current password: '), newPassword: await askTwice(context) };
  }
  const [currentPassword = '', newPassword = ''] = fromStdin ? await linesOf(context) : [];
  if (currentPassword !== '' && newPassword !== '') return { currentPassword, newPassword };
  throw usageError('The current and the new password are missing.', {
    fix: 'printf \'%s\\n%s\\n\' "$CURRENT" "$NEW" | hithe password change --stdin',
  });
}

async function serverOf(context: Context, given: string | undefined): Promise<string> {
  return given === undefined ? ((await context.chosenServer()) ?? DEFAULT_SERVER) : normaliseServer(given);
}

interface NewPassword {
  endedSessions: number;
  remainingTokens: { name: string }[];
  remainingPasskeys: string[];
  remainingIdentities: string[];
}

/** Whoever knew the old password may have left a way in: all that still works is named. */
function newPasswordText(result: NewPassword): string {
  const still = (what: string, names: readonly string[], command: string): string =>
    names.length === 0 ? '' : `\nThese ${what} still work: ${names.join(', ')}. See: ${command}`;
  return [
    `The password is changed; ${result.endedSessions} sessions have ended.`,
    still(
      'API tokens',
      result.remainingTokens.map(({ name }) => name),
      'hithe tokens',
    ),
    still('passkeys', result.remainingPasskeys, 'hithe passkeys'),
    still('identities', result.remainingIdentities, 'hithe identities'),
  ].join('');
}
