import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { withRequestContext } from '../../src/common/request-context.js';
import { dataSourceOptions } from '../../src/database/data-source.js';
import { TransactionRunner, sqlState } from '../../src/database/transaction-runner.js';
import { AuditLog } from '../../src/modules/audit/audit-log.js';
import { hashOfRecord } from '../../src/modules/audit/domain/audit-record.js';
import { AuditReader } from '../../src/modules/audit/audit-reader.js';
import type { NamedKeys } from '../../src/vault/named-keys.js';
import { createTestDatabase, superuserUrl } from '../support/database.js';

const SYSTEM = { system: true, part: 'test' };
const entry = (name: string) => ({ action: 'test.happened', subject: { type: 'test', id: name } });

describe('the chain of the audit log', () => {
  let dataSource: DataSource;
  let transactions: TransactionRunner;
  let audit: AuditLog;
  let reader: AuditReader;
  let superuser: pg.Client;

  const inSystem = <T>(work: () => Promise<T>): Promise<T> => withRequestContext(SYSTEM, work);
  const all = () => inSystem(() => reader.after(0, 10_000));

  beforeAll(async () => {
    const database = await createTestDatabase();
    dataSource = await new DataSource(dataSourceOptions({ url: database.url, pool: 20 })).initialize();
    transactions = new TransactionRunner(dataSource);
    const keys: Pick<NamedKeys, 'get'> = { get: () => Promise.resolve(Buffer.alloc(32, 1)) };
    audit = new AuditLog(transactions, keys as NamedKeys);
    await audit.onModuleInit();
    reader = new AuditReader(dataSource);
    superuser = new pg.Client({ connectionString: superuserUrl(database.name) });
    await superuser.connect();
  });

  afterAll(async () => {
    await superuser.end();
    await dataSource.destroy();
  });

  beforeEach(async () => {
    await inSystem(() => audit.recordNow(entry('first')));
  });

  it('is made by the database: number, time and hashes that anybody can make again', async () => {
    await inSystem(() => audit.recordNow({ ...entry('ünïcode, 1:x'), before: { ä: [1, 'ß'] }, after: { ä: null }, details: { n: 1.5 } }));
    const records = await all();
    for (const [index, record] of records.entries()) {
      expect(record.seq).toBe(index + 1);
      expect(record.hash).toBe(hashOfRecord(record));
      expect(record.previousHash).toBe(records[index - 1]?.hash ?? '0'.repeat(64));
    }
    expect(records.at(-1)).toMatchObject({ actorKind: 'system', part: 'test', before: '{"ä":[1,"ß"]}', details: '{"n":1.5}' });
  });

  it('lets nobody choose number, time or hash', async () => {
    const insert = `INSERT INTO audit_events (id, action, actor_kind, outcome, subject_type, subject_id, seq, at, hash, previous_hash)
      VALUES (gen_random_uuid(), 'a', 'system', 'success', 't', '1', 1000000, '2000-01-01', '\\x00', '\\x00')`;
    // As the owner of the tables, who may name these columns at all: the trigger decides all the same.
    await superuser.query(insert);
    const last = (await all()).at(-1);
    expect(last?.seq).toBeLessThan(1000);
    expect(last?.hash).toBe(last && hashOfRecord(last));
    expect(last?.at.startsWith('2000')).toBe(false);
  });

  it.each([
    ['UPDATE audit_events SET actor_email = $$x$$ WHERE seq = 1'],
    ['DELETE FROM audit_events WHERE seq = 1'],
    ['TRUNCATE audit_events'],
    ['TRUNCATE audit_head'],
    ['DELETE FROM audit_head'],
    ['TRUNCATE audit_segments'],
  ])('refuses %s, to the application and to a superuser who does not switch triggers off', async (sql) => {
    for (const attempt of [() => inSystem(() => dataSource.query<unknown>(sql)), () => superuser.query(sql)]) {
      const error: unknown = await attempt().catch((thrown: unknown) => thrown);
      expect(sqlState(error)).toBe('42501');
    }
    expect((await all())[0]?.actorEmail).toBeNull();
  });

  it('has no gaps and no forks after 200 transactions at once, a third of them rolled back', async () => {
    const before = (await all()).length;
    const works = Array.from({ length: 200 }, (_, index) =>
      inSystem(() =>
        transactions.run(async (tx) => {
          await audit.record(tx, entry(`${index}`));
          await audit.record(tx, entry(`${index} again`));
          if (index % 3 === 0) throw new Error('rolled back');
        }),
      ),
    );
    const results = await Promise.allSettled(works);
    const kept = results.filter((result) => result.status === 'fulfilled').length;
    const records = await all();
    expect(kept).toBe(133);
    expect(records).toHaveLength(before + 2 * kept);
    for (const [index, record] of records.entries()) {
      expect([record.seq, record.previousHash]).toEqual([index + 1, records[index - 1]?.hash ?? '0'.repeat(64)]);
    }
  });

  it('is taken last, so that work in the other order does not end in a deadlock', async () => {
    await superuser.query(
      'CREATE TABLE IF NOT EXISTS things (id int PRIMARY KEY); GRANT ALL ON things TO PUBLIC; INSERT INTO things VALUES (1) ON CONFLICT DO NOTHING',
    );
    let attempts = 0;
    const work = () =>
      inSystem(() =>
        transactions.run(async (tx) => {
          attempts += 1;
          await audit.record(tx, entry('before the lock'));
          await tx.query('SELECT 1 FROM things WHERE id = 1 FOR UPDATE');
          await audit.record(tx, entry('after the lock'));
        }),
      );
    await Promise.all(Array.from({ length: 20 }, work));
    expect(attempts).toBe(20);
  });

  it('R31: is not read without a context, and by teams only as far as they reach', async () => {
    const teamId = '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55';
    await inSystem(() => audit.recordNow({ ...entry('of a team'), teamId }));
    expect(await reader.after(0, 10_000)).toEqual([]);
    const actor = { userId: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c56', email: 'a@example.org', teams: [teamId] };
    const seen = await withRequestContext({ actor }, () => reader.after(0, 10_000));
    expect(seen.map((record) => record.teamId)).toEqual([teamId]);
    expect(await withRequestContext({ actor: { ...actor, teams: [] } }, () => reader.after(0, 10_000))).toEqual([]);
  });

  describe('R42: when it cannot be written', () => {
    it.each([
      [
        'a trigger fails',
        'CREATE TRIGGER zz_full BEFORE INSERT ON audit_events EXECUTE FUNCTION audit_refuse()',
        'DROP TRIGGER zz_full ON audit_events',
      ],
      ['the head is gone', 'ALTER TABLE audit_head RENAME TO audit_head_gone', 'ALTER TABLE audit_head_gone RENAME TO audit_head'],
    ])('because %s, the change is refused with it', async (_, breakIt, mendIt) => {
      await superuser.query('CREATE TABLE IF NOT EXISTS changes (id int); GRANT ALL ON changes TO PUBLIC');
      await superuser.query(breakIt);
      try {
        const change = inSystem(() =>
          transactions.run(async (tx) => {
            await audit.record(tx, entry('x'));
            await tx.query('INSERT INTO changes VALUES (1)');
          }),
        );
        await expect(change).rejects.toMatchObject({ kind: 'unavailable', code: 'AUDIT_UNAVAILABLE' });
        await expect(inSystem(() => audit.recordNow(entry('x')))).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
        expect((await superuser.query('SELECT 1 FROM changes')).rowCount).toBe(0);
        expect((await all()).length).toBeGreaterThan(0);
      } finally {
        await superuser.query(mendIt);
      }
    });
  });

  it('R43: keeps fingerprints of secrets, the same for the same value', () => {
    expect(audit.fingerprint('hunter2')).toBe(audit.fingerprint('hunter2'));
    expect(audit.fingerprint('hunter2')).not.toBe(audit.fingerprint('hunter3'));
    expect(audit.fingerprint('hunter2')).toMatch(/^hmac-sha256:[0-9a-f]{32}$/);
  });
});
