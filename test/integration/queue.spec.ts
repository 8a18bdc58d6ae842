import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { loadConfig } from '../../src/config/config.js';
import { dataSourceOptions } from '../../src/database/data-source.js';
import { TransactionRunner } from '../../src/database/transaction-runner.js';
import { type Job, defineJob } from '../../src/queue/job.js';
import { PgBossQueue } from '../../src/queue/pg-boss.queue.js';
import { createTestDatabase } from '../support/database.js';
import { until } from '../support/until.js';

interface Data {
  text: string;
}

const plain = defineJob<Data>('test.plain', { retryLimit: 1, retryDelay: 0, concurrency: 4 });
const serial = defineJob<Data>('test.serial', { serial: true, concurrency: 4 });

// What is logged of failures that these tests cause on purpose would look like failures of the tests.
Logger.overrideLogger(false);

describe('the job queue', () => {
  let queue: PgBossQueue;
  let dataSource: DataSource;
  let transactions: TransactionRunner;
  let url: string;

  const open = async (): Promise<PgBossQueue> => {
    const opened = new PgBossQueue(loadConfig({ HITHE_HOME: '/nonexistent', HITHE_DATABASE_URL: url }));
    await opened.onModuleInit();
    return opened;
  };
  const work = (on: PgBossQueue, job: Job<Data>, run: (data: Data) => Promise<void>) =>
    on.work([{ job, where: 'test', run: (data) => run(data as Data) }]);

  beforeEach(async () => {
    url = (await createTestDatabase()).url;
    dataSource = await new DataSource(dataSourceOptions({ url, pool: 4 })).initialize();
    transactions = new TransactionRunner(dataSource);
    queue = await open();
  });

  afterEach(async () => {
    await queue.beforeApplicationShutdown();
    await dataSource.destroy();
  });

  it('runs a job that was enqueued in a transaction, if and only if that commits', async () => {
    const ran: string[] = [];
    await work(queue, plain, (data) => Promise.resolve(void ran.push(data.text)));
    await expect(
      transactions.run(async (tx) => {
        await queue.enqueue(plain, { text: 'rolled back' }, { tx });
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    await transactions.run((tx) => queue.enqueue(plain, { text: 'committed' }, { tx }));
    await until(() => ran.length > 0);
    expect(ran).toEqual(['committed']);
  });

  it('tries again, and then keeps the job in the dead-letter queue', async () => {
    let attempts = 0;
    await work(queue, plain, () => {
      attempts += 1;
      return Promise.reject(new Error('broken'));
    });
    await queue.enqueue(plain, { text: 'doomed' });
    const dead = () => dataSource.query<{ data: Data }[]>(`SELECT data FROM pgboss.job WHERE name = 'dead-letter'`);
    await until(async () => (await dead()).length > 0);
    expect(attempts).toBe(2);
    expect(await dead()).toEqual([{ data: { text: 'doomed' } }]);
    expect(await queue.health()).toMatchObject({ ok: true, deadLetters: 1, message: expect.stringContaining('dead-letter') });
  });

  it('never runs two serial jobs of one key at once, over two processes, and loses none', async () => {
    const second = await open();
    const running = new Set<string>();
    const ran: string[] = [];
    let overlaps = 0;
    const run = async (data: Data): Promise<void> => {
      if (running.has(data.text)) overlaps += 1;
      running.add(data.text);
      await dataSource.query('SELECT pg_sleep(0.02)');
      running.delete(data.text);
      ran.push(data.text);
    };
    try {
      await work(queue, serial, run);
      await work(second, serial, run);
      for (let round = 0; round < 3; round += 1) {
        for (const text of ['a', 'b']) await queue.enqueue(serial, { text }, { key: text });
      }
      await until(() => ran.length === 6, 25_000);
    } finally {
      await second.beforeApplicationShutdown();
    }
    expect(overlaps).toBe(0);
    expect([...ran].sort()).toEqual(['a', 'a', 'a', 'b', 'b', 'b']);
  });

  it('insists on a key for a serial job', async () => {
    await expect(queue.enqueue(serial, { text: 'x' })).rejects.toThrow('needs a key');
  });

  it('lets a running job end before it stops', async () => {
    let started = false;
    let ended = false;
    await work(queue, plain, async () => {
      started = true;
      await dataSource.query('SELECT pg_sleep(0.2)');
      ended = true;
    });
    await queue.enqueue(plain, { text: 'x' });
    await until(() => started);
    await queue.beforeApplicationShutdown();
    expect(ended).toBe(true);
  });

  it('changes the options of a queue that exists', async () => {
    await queue.beforeApplicationShutdown();
    await dataSource.query(`UPDATE pgboss.queue SET retry_limit = 99 WHERE name = 'test.plain'`);
    queue = await open();
    const [row] = await dataSource.query<{ retry_limit: number }[]>(`SELECT retry_limit FROM pgboss.queue WHERE name = 'test.plain'`);
    expect(row?.retry_limit).toBe(1);
  });
});
