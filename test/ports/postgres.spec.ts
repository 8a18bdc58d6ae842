import { expect, it } from '@jest/globals';
import pg from 'pg';
import { describeLifecycle } from './support/lifecycle.js';
import type { PortInstance } from './support/port-instance.js';

/** Runs one statement as the project's user, over the exported address. */
async function query(instance: PortInstance, text: string, values: unknown[] = [], address?: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: address ?? (await instance.exports())['POSTGRES_URL'] });
  await client.connect();
  try {
    return (await client.query(text, values)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

async function write(instance: PortInstance, value: string): Promise<void> {
  await query(instance, 'CREATE TABLE IF NOT EXISTS kept (id serial PRIMARY KEY, value text)');
  await query(instance, 'INSERT INTO kept (value) VALUES ($1)', [value]);
}

async function read(instance: PortInstance): Promise<string | undefined> {
  const [row] = await query(instance, 'SELECT value FROM kept ORDER BY id DESC LIMIT 1');
  return row?.['value'] as string | undefined;
}

const PROVISION = { PROVISION_DATABASE: 'extra', PROVISION_USER: 'extra_user', PROVISION_PASSWORD: `it's $secret` };

for (const version of ['18', '13']) {
  describeLifecycle({ port: 'postgres', version, vars: { POSTGRES_DB: 'guest-book', POSTGRES_USER: 'guest' }, write, read }, (instance) => {
    it('gives the project a database of its own, without power over the server', async () => {
      const [row] = await query(
        instance(),
        'SELECT current_database() AS db, rolsuper, rolcreaterole, current_setting($1) AS jit FROM pg_roles WHERE rolname = current_user',
        ['jit'],
      );
      expect(row).toEqual({ db: 'guest-book', rolsuper: false, rolcreaterole: false, jit: 'off' });
    });

    it('stores passwords as SCRAM verifiers and lets nobody in without one', async () => {
      const wrong = (await instance().exports())['POSTGRES_URL']?.replace(/:[^:@]+@/, ':wrong@') ?? '';
      await expect(query(instance(), 'SELECT 1', [], wrong)).rejects.toThrow('password authentication failed');
    });

    it('provides a database to another project, and takes it back', async () => {
      const address = `postgresql://extra_user:${encodeURIComponent(PROVISION.PROVISION_PASSWORD)}@127.0.0.1:${instance().networkPort}/`;
      await instance().succeed('provision.sh', PROVISION);
      await instance().succeed('provision.sh', PROVISION);
      await query(instance(), 'CREATE TABLE t ()', [], `${address}extra`);
      await expect(query(instance(), 'SELECT 1', [], `${address}guest-book`)).rejects.toThrow('permission denied for database');
      await instance().succeed('provision.sh', PROVISION, {}, ['drop']);
      await expect(query(instance(), 'SELECT 1', [], `${address}extra`)).rejects.toThrow('password authentication failed');
    });

    it('takes a changed password with the next start', async () => {
      await instance().stop();
      instance().setVar('POSTGRES_PASSWORD', 'another password');
      await instance().startHealthy();
      expect(await read(instance())).toBe('first');
    });

    it('refuses data of another version, and says what to do', async () => {
      await instance().stop();
      const real = instance().context.allocation.version;
      const result = await instance().run('start.sh', { POSTGRES_VERSION: '12' });
      expect(result.code).not.toBe(0);
      expect(result.tail.join('\n')).toContain(`was written by PostgreSQL ${real}, this is 12`);
      const upgrade = await instance().run('upgrade.sh', { FROM_VERSION: real, TO_VERSION: '12' });
      expect([upgrade.code, upgrade.tail.at(-1)]).toEqual([1, expect.stringContaining('restore the backup into it')]);
      await instance().startHealthy();
    });
  });
}
