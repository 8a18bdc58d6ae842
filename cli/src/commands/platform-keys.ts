import { setTimeout as delay } from 'node:timers/promises';
import { dataOf } from '@hithe/client';
import type { Context } from '../context.js';
import { columns } from '../ui/columns.js';
import { confirmByName } from '../ui/confirm.js';
import { age } from '../ui/time.js';

const PAUSE_MS = 500;

interface Key {
  id: string;
  active: boolean;
  createdAt: string;
  rows: number;
}

/** `hithe secrets keys`: the keys that wrap every secret. */
export async function listPlatformKeys(context: Context): Promise<void> {
  const { api } = await context.client();
  show(context, (await dataOf(api.GET('/api/v1/platform/keys'))).items);
}

/** `hithe secrets rotate-key`: a new key, and all secrets wrapped by it; with `--retire` the old keys are deleted instead. */
export async function rotatePlatformKey(context: Context, options: { wait?: boolean; retire?: boolean; confirm?: string }): Promise<void> {
  const { api } = await context.client();
  if (options.retire === true) {
    const doing = 'Deleting the old platform keys: no backup of the database from before the rotation can be read afterwards. It';
    await confirmByName(context, { name: 'retire', doing, command: 'hithe secrets rotate-key --retire' }, options.confirm);
    show(context, (await dataOf(api.POST('/api/v1/platform/keys/retire'))).items);
    return;
  }
  let { items } = await dataOf(api.POST('/api/v1/platform/keys/rotate'));
  while (options.wait !== false && left(items) > 0) {
    await delay(PAUSE_MS);
    ({ items } = await dataOf(api.GET('/api/v1/platform/keys')));
  }
  show(context, items);
  context.note('Back up the platform key (control/secrets/platform.key). The old ones: hithe secrets rotate-key --retire');
}

function left(keys: readonly Key[]): number {
  return keys.filter(({ active }) => !active).reduce((sum, { rows }) => sum + rows, 0);
}

function show(context: Context, keys: readonly Key[]): void {
  context.show(keys, () =>
    columns([
      ['KEY', 'AGE', 'STATE', 'WRAPS'],
      ...keys.map(({ id, active, createdAt, rows }) => [id, age(createdAt), active ? 'active' : 'old', String(rows)]),
    ]),
  );
}
