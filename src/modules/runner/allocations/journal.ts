import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { DomainError } from '../../../common/domain-error.js';
import { KEY_BYTES, open, seal } from '../../../vault/seal.js';
import { type DesiredAllocation, desiredAllocationSchema } from '../../../link/messages.js';
import type { AllocationMemory } from './allocation.types.js';

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA secure_delete = ON;
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS allocations (id TEXT PRIMARY KEY, desired TEXT NOT NULL, memory TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS operations (key TEXT PRIMARY KEY, state TEXT NOT NULL, result TEXT, at TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS tasks (id TEXT PRIMARY KEY, result TEXT NOT NULL, at TEXT NOT NULL) STRICT;
`;
const KEPT_TASKS_MS = 24 * 3_600_000;

/** Begins a sealed value. */
const SEALED = 'sealed:';
/** Columns that may hold secrets, each with the key of its table. */
const SEALED_PLACES = {
  'allocations.desired': 'id',
  'allocations.memory': 'id',
  'operations.result': 'key',
  'tasks.result': 'id',
} as const;
type SealedPlace = keyof typeof SEALED_PLACES;

export interface JournalledAllocation {
  desired: DesiredAllocation;
  memory: AllocationMemory;
}

/**
 * The agent's memory: what is wanted, what runs, which steps are done. Every write is on disk when the call returns, so that an act
 * whose intent was written is found again whatever happens in between. Private to the agent: it holds components' secrets, sealed under a key
 * beside it, so that no copy of the file alone tells them.
 */
export class Journal {
  private readonly database: DatabaseSync;
  private readonly statements = new Map<string, StatementSync>();

  private readonly key: Buffer;

  constructor(path: string) {
    this.key = keyAt(`${path}.key`);
    this.database = new DatabaseSync(path);
    this.database.exec(SCHEMA);
    this.sealOldRows();
  }

  /** Makes all writes of `work` one: on disk together, or not at all. */
  batch(work: () => void): void {
    this.database.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.database.exec('COMMIT');
    } catch (error) {
      this.database.exec('ROLLBACK');
      throw error;
    }
  }

  /** Generation of the desired state that was taken over last. */
  get generation(): number {
    const row = this.sql('SELECT value FROM meta WHERE name = ?').get('generation');
    return row === undefined ? 0 : Number(row['value']);
  }

  set generation(value: number) {
    this.sql('INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value').run('generation', String(value));
  }

  allocations(): JournalledAllocation[] {
    const rows = this.sql('SELECT desired, memory FROM allocations ORDER BY id').all();
    return rows.map((row) => ({
      desired: desiredAllocationSchema.parse(this.unsealed('allocations.desired', row['desired'])),
      memory: this.unsealed('allocations.memory', row['memory']) as AllocationMemory,
    }));
  }

  saveAllocation({ desired, memory }: JournalledAllocation): void {
    this.sql(
      `INSERT INTO allocations VALUES (?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET desired = excluded.desired, memory = excluded.memory`,
    ).run(desired.id, this.sealed('allocations.desired', desired), this.sealed('allocations.memory', memory));
  }

  forgetAllocation(id: string): void {
    this.sql('DELETE FROM allocations WHERE id = ?').run(id);
  }

  /** Does `act` once for each key, whichever agent process asks: a repeated key gives the first result. A crash within `act` repeats it. */
  async once<T>(key: string, act: () => Promise<T>): Promise<T> {
    const known = this.operationResult(key);
    if (known) return known.result as T;
    this.saveOperation(key, 'intended', undefined);
    const result = await act();
    this.saveOperation(key, 'done', result);
    return result;
  }

  isDone(key: string): boolean {
    return this.operationResult(key) !== undefined;
  }

  /** What a finished operation gave. */
  result(key: string): unknown {
    return this.operationResult(key)?.result;
  }

  /** Forgets operations by the start of their keys, as when what they made was removed. */
  forgetOperations(prefix: string): void {
    this.sql('DELETE FROM operations WHERE substr(key, 1, length(?)) = ?').run(prefix, prefix);
  }

  taskResult(id: string): unknown {
    const row = this.sql('SELECT result FROM tasks WHERE id = ?').get(id);
    return row === undefined ? undefined : this.unsealed('tasks.result', row['result']);
  }

  /** Keeps a task's result for a day, in case that its delivery is repeated. */
  saveTaskResult(id: string, result: unknown, now: Date): void {
    this.sql('DELETE FROM tasks WHERE at < ?').run(new Date(now.getTime() - KEPT_TASKS_MS).toISOString());
    this.sql('INSERT OR REPLACE INTO tasks VALUES (?, ?, ?)').run(id, this.sealed('tasks.result', result), now.toISOString());
  }

  close(): void {
    this.database.close();
  }

  private operationResult(key: string): { result: unknown } | undefined {
    const row = this.sql("SELECT result FROM operations WHERE key = ? AND state = 'done'").get(key);
    if (row === undefined) return undefined;
    return { result: row['result'] === null ? undefined : this.unsealed('operations.result', row['result']) };
  }

  private saveOperation(key: string, state: string, result: unknown): void {
    const text = result === undefined ? null : this.sealed('operations.result', result);
    this.sql('INSERT OR REPLACE INTO operations VALUES (?, ?, ?, ?)').run(key, state, text, new Date().toISOString());
  }

  private sealed(place: SealedPlace, value: unknown): string {
    return `${SEALED}${seal(this.key, place, Buffer.from(JSON.stringify(value))).toString('base64')}`;
  }

  private unsealed(place: SealedPlace, stored: unknown): unknown {
    const text = String(stored);
    return JSON.parse(open(this.key, place, Buffer.from(text.slice(SEALED.length), 'base64')).toString('utf8'));
  }

  /** Seals what an older agent wrote in clear, and takes the clear text off the disk. */
  private sealOldRows(): void {
    let sealed = 0;
    this.batch(() => {
      for (const [place, key] of Object.entries(SEALED_PLACES) as [SealedPlace, string][]) {
        const [table = '', column = ''] = place.split('.');
        const rows = this.database
          .prepare(`SELECT ${key} AS key, ${column} AS value FROM ${table} WHERE ${column} NOT LIKE '${SEALED}%'`)
          .all();
        const update = this.database.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${key} = ?`);
        for (const row of rows) update.run(this.sealed(place, JSON.parse(String(row['value']))), row['key'] ?? null);
        sealed += rows.length;
      }
    });
    if (sealed > 0) this.database.exec('VACUUM; PRAGMA wal_checkpoint(TRUNCATE);');
  }

  private sql(text: string): StatementSync {
    const known = this.statements.get(text);
    if (known) return known;
    const statement = this.database.prepare(text);
    this.statements.set(text, statement);
    return statement;
  }
}

/** The key of a journal, made with it; for the agent alone. */
function keyAt(path: string): Buffer {
  if (!existsSync(path)) writeFileSync(path, randomBytes(KEY_BYTES), { mode: 0o600, flag: 'wx', flush: true });
  const key = readFileSync(path);
  if (key.length === KEY_BYTES) return key;
  throw new DomainError('internal', 'JOURNAL_KEY_INVALID', `${path} does not hold a key.`, {
    fix: 'Restore it from a backup. Without it, move the journal away: the agent asks the control plane for everything anew, and components are restarted.',
  });
}
