import { allItems, dataOf } from '@hithe/client';
import { usageError } from '../cli-error.js';
import type { Context } from '../context.js';
import { columns } from '../ui/columns.js';
import { confirmByName } from '../ui/confirm.js';
import { type ProofOptions, withProof } from '../ui/proof.js';
import { ask, readSecretFromStdin } from '../ui/prompt.js';
import { qrCode } from '../ui/qr-code.js';
import { sanitizeLine } from '../ui/sanitize.js';
import { age } from '../ui/time.js';

/** `hithe 2fa`: which second factors I have. */
export async function showFactors(context: Context): Promise<void> {
  const { api } = await context.client();
  const status = await dataOf(api.GET('/api/v1/me/second-factors'));
  context.show(status, () =>
    columns([
      ['authenticator app', status.totp ? 'enabled' : 'not set up'],
      ['passkeys', status.passkeys ? 'yes (hithe passkeys)' : 'none'],
      ['recovery codes left', String(status.recoveryCodesLeft)],
      ['demanded by the operator', status.required ? 'yes' : 'no'],
    ]),
  );
  if (!status.totp) context.note('next: hithe 2fa enable');
}

/** `hithe 2fa enable`: shows the secret as a QR code and as text, and confirms it with a code. */
export async function enableTotp(context: Context, options: { codeStdin?: boolean }): Promise<void> {
  if (options.codeStdin !== true && context.io.stdin.isTTY !== true)
    throw usageError('There is no terminal to ask for the code on.', { fix: 'hithe 2fa enable --code-stdin' });
  const { api } = await context.client();
  const proof = { proofLine: options.codeStdin === true };
  const { secret, uri } = await withProof(context, proof, () => dataOf(api.POST('/api/v1/me/totp')));
  // Not the result, and never hidden: without it there is no code to type.
  context.io.stderr.write(`${qrCode(uri)}\nScan this with an authenticator app, or type the secret into it: ${secret}\n${uri}\n`);
  const code = options.codeStdin === true ? await readSecretFromStdin(context.io) : await ask(context.io, 'Code that the app shows: ');
  const enabled = await dataOf(api.POST('/api/v1/me/totp/confirm', { body: { code } }));
  context.show(enabled, () => `The authenticator app is in use.${codesText(enabled.recoveryCodes)}`);
}

/** `hithe 2fa disable`. */
export async function disableTotp(context: Context, options: ProofOptions): Promise<void> {
  const { api } = await context.client();
  await withProof(context, options, () => api.DELETE('/api/v1/me/totp'));
  context.show({ totp: false }, () => 'The authenticator app is not asked for any more.');
}

/** `hithe 2fa recovery-codes`: makes new ones. */
export async function renewRecoveryCodes(context: Context, options: ProofOptions): Promise<void> {
  const { api } = await context.client();
  const renewed = await withProof(context, options, () => dataOf(api.POST('/api/v1/me/recovery-codes')));
  context.show(renewed, () => `The former codes are void.${codesText(renewed.recoveryCodes)}`);
}

/** `hithe 2fa reset`: takes all second factors of a user away, for platform admins. */
export async function resetFactors(context: Context, email: string, options: { confirm?: string }): Promise<void> {
  const { api } = await context.client();
  const users = await allItems((cursor) => dataOf(api.GET('/api/v1/users', { params: { query: cursorOf(cursor) } })));
  const user = users.find((candidate) => candidate.email.toLowerCase() === email.toLowerCase());
  if (user === undefined) throw usageError(`There is no user ${email} that you can see.`, { code: 'USER_NOT_FOUND', fix: 'hithe users' });
  await confirmByName(
    context,
    { name: user.email, doing: `Taking the second factors of ${user.email} away`, command: `hithe 2fa reset ${user.email}` },
    options.confirm,
  );
  await api.DELETE('/api/v1/users/{userId}/second-factors', { params: { path: { userId: user.id } } });
  context.show({ email: user.email, reset: true }, () => `${user.email} logs in with the password alone; their sessions have ended.`);
}

/** `hithe passkeys`. */
export async function listPasskeys(context: Context): Promise<void> {
  const passkeys = await allPasskeys(context);
  context.show(passkeys, () =>
    columns([
      ['NAME', 'ADDED', 'LAST USED', 'SYNCED', 'ID'],
      ...passkeys.map(({ name, createdAt, lastUsedAt, backedUp, id }) => [
        sanitizeLine(name, false),
        age(createdAt),
        lastUsedAt === null ? 'never' : age(lastUsedAt),
        backedUp ? 'yes' : 'no',
        id,
      ]),
    ]),
  );
  if (passkeys.length === 0) context.note('Passkeys are registered in a browser.');
}

/** `hithe passkeys rename`. */
export async function renamePasskey(context: Context, wanted: string, name: string): Promise<void> {
  const { api } = await context.client();
  const { id } = await passkeyNamed(context, wanted);
  const renamed = await dataOf(api.PATCH('/api/v1/me/passkeys/{passkeyId}', { params: { path: { passkeyId: id } }, body: { name } }));
  context.show(renamed, () => `Renamed to ${context.colors.bold(sanitizeLine(renamed.name, false))}.`);
}

/** `hithe passkeys delete`. */
export async function deletePasskey(context: Context, wanted: string, options: ProofOptions & { confirm?: string }): Promise<void> {
  const { api } = await context.client();
  const { id, name } = await passkeyNamed(context, wanted);
  await confirmByName(
    context,
    { name, doing: `Deleting the passkey ${name}`, command: `hithe passkeys delete ${wanted}` },
    options.confirm,
  );
  await withProof(context, options, () => api.DELETE('/api/v1/me/passkeys/{passkeyId}', { params: { path: { passkeyId: id } } }));
  context.show({ id, deleted: true }, () => `The passkey ${sanitizeLine(name, false)} logs nobody in any more.`);
}

async function allPasskeys(context: Context) {
  const { api } = await context.client();
  return allItems((cursor) => dataOf(api.GET('/api/v1/me/passkeys', { params: { query: cursorOf(cursor) } })));
}

async function passkeyNamed(context: Context, wanted: string): Promise<{ id: string; name: string }> {
  const [found, second] = (await allPasskeys(context)).filter(({ id, name }) => id === wanted || name === wanted);
  if (found !== undefined && second === undefined) return found;
  throw usageError(found === undefined ? `You have no passkey "${wanted}".` : `Several of your passkeys are called "${wanted}".`, {
    code: found === undefined ? 'PASSKEY_NOT_FOUND' : 'PASSKEY_AMBIGUOUS',
    fix: 'Take the id from: hithe passkeys',
  });
}

function cursorOf(cursor: string | undefined): { cursor?: string } {
  return cursor === undefined ? {} : { cursor };
}

function codesText(codes: readonly string[] | undefined): string {
  if (codes === undefined) return '';
  return `\nRecovery codes, shown only now. Each stands in for the second factor once; keep them where the device is not:\n\n${codes.map((code) => `  ${code}`).join('\n')}`;
}
