import { allItems, dataOf } from '@hithe/client';
import { usageError } from '../cli-error.js';
import type { Context } from '../context.js';
import { columns } from '../ui/columns.js';
import { type ProofOptions, withProof } from '../ui/proof.js';
import { sanitizeLine } from '../ui/sanitize.js';
import { age } from '../ui/time.js';
import { codeFromProvider } from './oidc.js';

/** `hithe identities`: whom the OIDC provider knows me as. */
export async function listIdentities(context: Context): Promise<void> {
  const identities = await all(context);
  context.show(identities, () =>
    columns([
      ['EMAIL', 'PROVIDER', 'LINKED', 'LAST USED', 'ID'],
      ...identities.map(({ email, issuer, createdAt, lastUsedAt, id }) => [
        sanitizeLine(email ?? '-', false),
        sanitizeLine(issuer, false),
        age(createdAt),
        lastUsedAt === null ? 'never' : age(lastUsedAt),
        id,
      ]),
    ]),
  );
}

/** `hithe identities link`: logs in at the provider, and lets that identity open this account from now on. */
export async function linkIdentity(context: Context, options: ProofOptions & { browser: boolean }): Promise<void> {
  const client = await context.client();
  const body = await codeFromProvider(context, client, options);
  const identity = await withProof(context, options, () => dataOf(client.api.POST('/api/v1/me/identities', { body })));
  context.show(
    identity,
    () => `${context.colors.bold(sanitizeLine(identity.email ?? identity.subject, false))} opens this account from now on.`,
  );
}

/** `hithe identities unlink`. */
export async function unlinkIdentity(context: Context, wanted: string, options: ProofOptions): Promise<void> {
  const [found, second] = (await all(context)).filter(({ id, email }) => id === wanted || email === wanted);
  if (found === undefined || second !== undefined)
    throw usageError(found === undefined ? `You have no identity "${wanted}".` : `Several of your identities are "${wanted}".`, {
      code: 'IDENTITY_NOT_FOUND',
      fix: 'Take the id from: hithe identities',
    });
  const { api } = await context.client();
  await withProof(context, options, () => api.DELETE('/api/v1/me/identities/{identityId}', { params: { path: { identityId: found.id } } }));
  context.show({ id: found.id, unlinked: true }, () => `${sanitizeLine(found.email ?? found.subject, false)} opens this account no more.`);
}

async function all(context: Context) {
  const { api } = await context.client();
  return allItems((cursor) => dataOf(api.GET('/api/v1/me/identities', { params: { query: cursor === undefined ? {} : { cursor } } })));
}
