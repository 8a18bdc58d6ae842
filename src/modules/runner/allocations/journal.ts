import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { type DesiredAllocation, desiredAllocationSchema } from '../../../link/messages.js';
import type { AllocationMemory } from './allocation.types.js';

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS allocations (id TEXT PRIMARY KEY, desired TEXT NOT NULL, memory TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS operations (key TEXT PRIMARY KEY, state TEXT NOT NULL, result TEXT, at TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS tasks (id TEXT PRIMARY KEY, result TEXT NOT NULL, at TEXT NOT NULL) STRICT;
`;
const KEPT_TASKS_MS = 24 * 3_600_000;

export interface JournalledAllocation {
  desired: DesiredAllocation;
  memory: AllocationMemory;
}

/**
 * The agent's memory: what is wanted, what runs, which steps are done. Every write is on disk when the call returns, so that an act
 * whose intent was written is found again whatever happens in between. Private to the agent: it holds components' secrets.
 */
export class Journal {
  private readonly database: DatabaseSync;
  private readonly statements = new Map<string, StatementSync>();

  constructor(path: string) {
    this.database = new DatabaseSync(path);
    this.database.exec(SCHEMA);
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
      desired: desiredAllocationSchema.parse(JSON.parse(String(row['desired']))),
      memory: JSON.parse(String(row['memory'])) as AllocationMemory,
    }));
  }

  saveAllocation({ desired, memory }: JournalledAllocation): void {
    this.sql(
      `INSERT INTO allocations VALUES (?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET desired = excluded.desired, memory = excluded.memory`,
    ).run(desired.id, JSON.stringify(desired), JSON.stringify(memory));
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
    return row === undefined ? undefined : JSON.parse(String(row['result']));
  }

  /** Keeps a task's result for a day, in case that its delivery is repeated. */
  saveTaskResult(id: string, result: unknown, now: Date): void {
    this.sql('DELETE FROM tasks WHERE at < ?').run(new Date(now.getTime() - KEPT_TASKS_MS).toISOString());
    this.sql('INSERT OR REPLACE INTO tasks VALUES (?, ?, ?)').run(id, JSON.stringify(result), now.toISOString());
  }

  close(): void {
    this.database.close();
  }

  private operationResult(key: string): { result: unknown } | undefined {
    const row = this.sql("SELECT result FROM operations WHERE key = ? AND state = 'done'").get(key);
    if (row === undefined) return undefined;
    return { result: row['result'] === null ? undefined : (JSON.parse(String(row['result'])) as unknown) };
  }

  private saveOperation(key: string, state: string, result: unknown): void {
    const text = result === undefined ? null : JSON.stringify(result);
    this.sql('INSERT OR REPLACE INTO operations VALUES (?, ?, ?, ?)').run(key, state, text, new Date().toISOString());
  }

  private sql(text: string): StatementSync {
    const known = this.statements.get(text);
    if (known) return known;
    const statement = this.database.prepare(text);
    this.statements.set(text, statement);
    return statement;
  }
}
