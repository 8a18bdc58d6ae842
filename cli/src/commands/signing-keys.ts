import { dataOf } from '@hithe/client';
import type { Context } from '../context.js';
import { columns } from '../ui/columns.js';
import { confirmByName } from '../ui/confirm.js';
import { age } from '../ui/time.js';

/** `hithe signing-keys`: the keys that sign access tokens. */
export async function listSigningKeys(context: Context): Promise<void> {
  const { api } = await context.client();
  const { items } = await dataOf(api.GET('/api/v1/auth/signing-keys'));
  context.show(items, () =>
    columns([
      ['KEY', 'AGE', 'STATE'],
      ...items.map(({ id, createdAt, current, verifiesUntil }) => [
        id,
        age(createdAt),
        current ? 'signs' : `verifies until ${verifiesUntil ?? 'now'}`,
      ]),
    ]),
  );
}

/** `hithe signing-keys rotate`: a new key signs; with `--end-previous` all access tokens are refreshed at once. */
export async function rotateSigningKeys(context: Context, options: { endPrevious?: boolean; confirm?: string }): Promise<void> {
  const { api } = await context.client();
  const endPrevious = options.endPrevious === true;
  if (endPrevious) {
    const thing = { name: 'end-previous', doing: 'Ending all access tokens', command: 'hithe signing-keys rotate --end-previous' };
    await confirmByName(context, thing, options.confirm);
  }
  const key = await dataOf(api.POST('/api/v1/auth/signing-keys', { body: { endPrevious } }));
  context.show(key, () => `The key ${key.id} signs from now on.`);
}
