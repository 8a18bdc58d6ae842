import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestApplication } from '../support/application.js';
import { until } from '../support/until.js';

interface Health {
  status: string;
  parts: Record<string, { ok: boolean; message: string; fix?: string }>;
}

describe('health', () => {
  let application: TestApplication;
  let database: string;

  const get = (path = '') => application.http.get(`/api/v1/health${path}`);
  const report = async () => (await get().expect(200)).body as Health;

  beforeAll(async () => {
    application = await TestApplication.start();
    database = new URL(application.config.databaseUrl).pathname.slice(1);
  });

  afterAll(async () => {
    await application.stop();
  });

  it('tells the truth about each part, and what to do', async () => {
    const health = await report();
    expect(Object.keys(health.parts)).toEqual(['database', 'queue', 'agent', 'isolation', 'audit']);
    expect(health.parts).toMatchObject({ database: { ok: true }, queue: { ok: true }, agent: { ok: false }, isolation: { ok: false } });
    expect(health.status).toBe('degraded');
    for (const part of Object.values(health.parts)) expect(part.ok || Boolean(part.fix)).toBe(true);
  });

  it('is alive and ready', async () => {
    expect((await get('/live').expect(200)).body).toMatchObject({ ok: true });
    expect((await get('/ready').expect(200)).body).toMatchObject({ ok: true });
  });

  it('is not ready while the database is away, yet alive, and comes back by itself', async () => {
    const client = new pg.Client({ connectionString: process.env['HITHE_TEST_DATABASE_URL'] });
    await client.connect();
    try {
      await client.query(`ALTER DATABASE ${database} ALLOW_CONNECTIONS false`);
      await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [database]);
      const refused = await get('/ready').expect(503);
      expect(refused.body).toMatchObject({ code: 'NOT_READY' });
      await get('/live').expect(200);
      expect((await report()).parts['database']).toMatchObject({ ok: false });
      await client.query(`ALTER DATABASE ${database} ALLOW_CONNECTIONS true`);
      await until(async () => (await get('/ready')).status === 200);
    } finally {
      await client.query(`ALTER DATABASE ${database} ALLOW_CONNECTIONS true`);
      await client.end();
    }
  });
});
