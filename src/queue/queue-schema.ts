import { setTimeout as delay } from 'node:timers/promises';
import { PgBoss } from 'pg-boss';

/** The schema of the job queue's tables. */
export const QUEUE_SCHEMA = 'pgboss';

const LOOK_MS = 200;

/**
 * Brings the job queue's tables up to date as the role of `url`, which then owns them: the control plane's own role may use
 * tables, but make none. Safe to repeat; not by several processes at once.
 */
export async function migrateQueue(url: string): Promise<void> {
  const boss = new PgBoss({
    connectionString: url,
    application_name: 'hithe-bootstrap',
    max: 2,
    supervise: false,
    schedule: false,
    openTelemetry: { enabled: false },
  });
  const failures: Error[] = [];
  boss.on('error', (error: Error) => failures.push(error));
  await boss.start();
  try {
    while ((await unfinished(boss)) > 0 && failures.length === 0) await delay(LOOK_MS);
  } finally {
    await boss.stop({ graceful: true });
  }
  if (failures[0] !== undefined) throw failures[0];
}

/** pg-boss builds indexes of large tables in the background, as whoever migrated; nobody else may. */
async function unfinished(boss: PgBoss): Promise<number> {
  const summary = await boss.getBamStatus();
  return summary.filter(({ status }) => status === 'pending' || status === 'in_progress').reduce((sum, { count }) => sum + count, 0);
}
