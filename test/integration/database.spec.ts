import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { loadConfig } from '../../src/config/config.js';
import { dataSourceOptions } from '../../src/database/data-source.js';
import { Notifications, defineChannel } from '../../src/database/notifications.js';
import { TransactionRunner, sqlState, violates } from '../../src/database/transaction-runner.js';
import { createEmptyTestDatabase } from '../support/database.js';
import { until } from '../support/until.js';

const changed = defineChannel<{ id: number }>('test_changed');

// What is logged of failures that these tests cause on purpose would look like failures of the tests.
Logger.overrideLogger(false);

describe('the database', () => {
  let dataSource: DataSource;
  let transactions: TransactionRunner;
  let notifications: Notifications;

  beforeAll(async () => {
    const { ownerUrl: url } = await createEmptyTestDatabase();
    dataSource = await new DataSource(dataSourceOptions({ url, pool: 5 })).initialize();
    transactions = new TransactionRunner(dataSource);
    notifications = new Notifications(loadConfig({ HITHE_HOME: '/nonexistent', HITHE_DATABASE_URL: url }));
    await dataSource.query('CREATE TABLE counters (id int CONSTRAINT pk_counters PRIMARY KEY, value int NOT NULL)');
    await dataSource.query('INSERT INTO counters VALUES (1, 0), (2, 0)');
  });

  afterAll(async () => {
    await notifications.onApplicationShutdown();
    await dataSource.destroy();
  });

  describe('a transaction', () => {
    it('is all or nothing', async () => {
      const work = transactions.run(async (tx) => {
        await tx.query('UPDATE counters SET value = 7 WHERE id = 2');
        throw new Error('no');
      });
      await expect(work).rejects.toThrow('no');
      expect(await dataSource.query('SELECT value FROM counters WHERE id = 2')).toEqual([{ value: 0 }]);
    });

    it('runs again after a serialization failure, so that no update is lost', async () => {
      let attempts = 0;
      const allHaveBegun = () => until(() => attempts >= 3);
      const increment = () =>
        transactions.run(
          async (tx) => {
            attempts += 1;
            const [row] = await tx.query<{ value: number }[]>('SELECT value FROM counters WHERE id = 1');
            if (attempts <= 3) await allHaveBegun();
            await tx.query('UPDATE counters SET value = $1 WHERE id = 1', [(row?.value ?? 0) + 1]);
          },
          { isolation: 'SERIALIZABLE' },
        );
      await Promise.all([increment(), increment(), increment()]);
      expect(await dataSource.query('SELECT value FROM counters WHERE id = 1')).toEqual([{ value: 3 }]);
      expect(attempts).toBeGreaterThan(3);
    });

    it('does not run again after any other error, and tells which constraint was hurt', async () => {
      let attempts = 0;
      const error: unknown = await transactions
        .run((tx) => {
          attempts += 1;
          return tx.query('INSERT INTO counters VALUES (1, 0)');
        })
        .catch((thrown: unknown) => thrown);
      expect(attempts).toBe(1);
      expect([sqlState(error), violates(error, 'pk_counters'), violates(error, 'uq_other')]).toEqual(['23505', true, false]);
    });
  });

  describe('a single statement', () => {
    it('answers as a transaction does, and names the constraint that was hurt', async () => {
      const [rows, count] = await transactions.statement<[unknown[], number]>(
        'UPDATE counters SET value = $1 WHERE id = 2 RETURNING value',
        [5],
      );
      expect([rows, count]).toEqual([[{ value: 5 }], 1]);
      const error: unknown = await transactions.statement('INSERT INTO counters VALUES (1, 0)', []).catch((thrown: unknown) => thrown);
      expect([sqlState(error), violates(error, 'pk_counters')]).toEqual(['23505', true]);
    });

    it('survives the loss of its connection: the next one gets another', async () => {
      // As often as there are connections, so that none could have come back broken.
      for (let time = 0; time < 6; time += 1) {
        const error: unknown = await transactions
          .statement('SELECT pg_terminate_backend(pg_backend_pid())', [])
          .catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(Error);
        expect(await transactions.statement('SELECT 1 AS one', [])).toEqual([{ one: 1 }]);
      }
    });
  });

  describe('a statement that is asked all the time', () => {
    const ask = () => dataSource.query<{ label: unknown }[]>('SELECT label FROM labels WHERE id = $1', [1]);

    it('is prepared on its connection, and survives a migration of what it reads', async () => {
      await dataSource.query('CREATE TABLE labels (id int, label int)');
      await dataSource.query('INSERT INTO labels VALUES (1, 7)');
      const answers = [];
      for (let time = 0; time < 40; time += 1) answers.push(await ask());
      expect(new Set(answers.map(([row]) => row?.label))).toEqual(new Set([7]));
      await dataSource.transaction(async (tx) => {
        await tx.query('SELECT label FROM labels WHERE id = $1', [1]);
        const [found] = await tx.query<{ calls: number }[]>(
          `SELECT (generic_plans + custom_plans)::int AS calls FROM pg_prepared_statements WHERE statement = 'SELECT label FROM labels WHERE id = $1'`,
        );
        expect(found?.calls).toBeGreaterThan(0);
      });
      await dataSource.query('ALTER TABLE labels ALTER label TYPE text');
      for (let time = 0; time < 10; time += 1) expect(await ask()).toEqual([{ label: '7' }]);
    });
  });

  describe('notifications', () => {
    it('arrive after the commit, and not after a rollback', async () => {
      const heard: number[] = [];
      const off = await notifications.on(changed, ({ id }) => void heard.push(id));
      await transactions
        .run((tx) => notifications.notify(tx, changed, { id: 1 }).then(() => Promise.reject(new Error('no'))))
        .catch(() => undefined);
      await transactions.run((tx) => notifications.notify(tx, changed, { id: 2 }));
      await until(() => heard.length > 0);
      off();
      expect(heard).toEqual([2]);
    });

    it('survive a listener that fails', async () => {
      const heard: number[] = [];
      const offs = [
        await notifications.on(changed, () => Promise.reject(new Error('broken listener'))),
        await notifications.on(changed, ({ id }) => void heard.push(id)),
      ];
      await transactions.run((tx) => notifications.notify(tx, changed, { id: 3 }));
      await until(() => heard.length > 0);
      for (const off of offs) off();
    });

    it('come back after the connection was cut, and say so', async () => {
      const heard: number[] = [];
      let reconnects = 0;
      const offs = [await notifications.on(changed, ({ id }) => void heard.push(id)), notifications.onReconnect(() => (reconnects += 1))];
      await dataSource.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hithe-listen' AND datname = current_database()`,
      );
      await until(() => reconnects > 0);
      await transactions.run((tx) => notifications.notify(tx, changed, { id: 4 }));
      await until(() => heard.length > 0);
      for (const off of offs) off();
      expect(heard).toEqual([4]);
      expect(notifications.connected).toBe(true);
    });

    it('leave no connection behind that was being opened when they ended', async () => {
      const { url } = dataSource.options as { url: string };
      const ended = new Notifications(loadConfig({ HITHE_HOME: '/nonexistent', HITHE_DATABASE_URL: url }));
      const listeners = async (): Promise<number> => {
        const [row] = await dataSource.query<{ n: number }[]>(
          `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'hithe-listen' AND datname = current_database()`,
        );
        return row?.n ?? 0;
      };
      const before = await listeners();
      const listening = ended.on(changed, () => undefined);
      await ended.onApplicationShutdown();
      await listening.catch(() => undefined);
      await until(async () => (await listeners()) === before);
    });

    it('refuse what PostgreSQL could not carry', async () => {
      const long = defineChannel<string>('test_long');
      await expect(transactions.run((tx) => notifications.notify(tx, long, 'x'.repeat(8000)))).rejects.toThrow('too long');
      expect(() => defineChannel('drop table; --')).toThrow('is not a channel name');
    });
  });
});
