import { DatabaseSync } from 'node:sqlite';
import { newId } from '../../../common/ids.js';
import { type UsageEntry, type UsageReport, usageReportSchema } from '../../../link/messages.js';
import type { MeterState } from './meter.js';

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS meters (allocation TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS storage (component TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS open (key TEXT PRIMARY KEY, entry TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS report (sequence INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
`;

/** How much a component's directory held when it was last measured. */
export interface StorageState {
  /** Milliseconds since the epoch. */
  at: number;
  bytes: number;
  /** Whose it is, for the last entry after it is gone. */
  component: UsedComponent;
}

/** Names a component in reports. */
export type UsedComponent = Pick<UsageEntry, 'tenant' | 'projectId' | 'project' | 'component'>;

/** What is added to a component's account. */
export type UsageAmounts = Partial<Pick<UsageEntry, 'cpuSeconds' | 'memoryByteSeconds' | 'storedByteSeconds' | 'stored'>>;

/**
 * What has been counted, and what of it the control plane has not confirmed. Counting and adding up are one transaction, so that an agent that
 * is killed counts nothing twice. At most one report is under way; what comes meanwhile is added up by day, so a long outage takes no more room.
 */
export class UsageJournal {
  private readonly database: DatabaseSync;

  constructor(path: string) {
    this.database = new DatabaseSync(path);
    this.database.exec(SCHEMA);
    // Another journal, another stream: its sequence begins anew.
    this.database.prepare('INSERT OR IGNORE INTO meta VALUES (?, ?)').run('stream', newId());
    this.database.prepare('INSERT OR IGNORE INTO meta VALUES (?, ?)').run('began', new Date().toISOString());
  }

  /** When this journal was begun, milliseconds since the epoch. */
  get began(): number {
    return Date.parse(this.meta('began'));
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

  meters(): Map<string, MeterState> {
    const rows = this.database.prepare('SELECT allocation, state FROM meters').all();
    return new Map(rows.map((row) => [String(row['allocation']), JSON.parse(String(row['state'])) as MeterState]));
  }

  saveMeter(allocation: string, state: MeterState): void {
    this.database.prepare('INSERT OR REPLACE INTO meters VALUES (?, ?)').run(allocation, JSON.stringify(state));
  }

  forgetMeter(allocation: string): void {
    this.database.prepare('DELETE FROM meters WHERE allocation = ?').run(allocation);
  }

  storage(): Map<string, StorageState> {
    const rows = this.database.prepare('SELECT component, state FROM storage').all();
    return new Map(rows.map((row) => [String(row['component']), JSON.parse(String(row['state'])) as StorageState]));
  }

  saveStorage(key: string, state: StorageState): void {
    this.database.prepare('INSERT OR REPLACE INTO storage VALUES (?, ?)').run(key, JSON.stringify(state));
  }

  forgetStorage(key: string): void {
    this.database.prepare('DELETE FROM storage WHERE component = ?').run(key);
  }

  /** Adds to what a component used on a day. */
  add(component: UsedComponent, day: string, amounts: UsageAmounts): void {
    const key = `${day} ${component.projectId} ${component.component}`;
    const row = this.database.prepare('SELECT entry FROM open WHERE key = ?').get(key);
    const before = row === undefined ? undefined : (JSON.parse(String(row['entry'])) as UsageEntry);
    const sum = (name: 'cpuSeconds' | 'memoryByteSeconds' | 'storedByteSeconds'): number => (before?.[name] ?? 0) + (amounts[name] ?? 0);
    const stored = amounts.stored ?? before?.stored;
    const entry: UsageEntry = {
      ...component,
      day,
      cpuSeconds: sum('cpuSeconds'),
      memoryByteSeconds: sum('memoryByteSeconds'),
      storedByteSeconds: sum('storedByteSeconds'),
      storedMostBytes: Math.max(before?.storedMostBytes ?? 0, amounts.stored?.bytes ?? 0),
      ...(stored === undefined ? {} : { stored }),
    };
    this.database.prepare('INSERT OR REPLACE INTO open VALUES (?, ?)').run(key, JSON.stringify(entry));
  }

  /** The report that is not confirmed yet; it never changes. */
  pending(): UsageReport | undefined {
    const row = this.database.prepare('SELECT body FROM report ORDER BY sequence LIMIT 1').get();
    return row === undefined ? undefined : usageReportSchema.parse(JSON.parse(String(row['body'])));
  }

  /** Makes a report of what was added up; does nothing while there is one, or when there is nothing. */
  seal(): void {
    this.batch(() => {
      if (this.pending() !== undefined) return;
      const entries = this.database
        .prepare('SELECT entry FROM open ORDER BY key')
        .all()
        .map((row) => JSON.parse(String(row['entry'])) as UsageEntry);
      if (entries.length === 0) return;
      const sequence = Number(this.meta('sequence') || '0') + 1;
      const report: UsageReport = { stream: this.meta('stream'), sequence, entries };
      this.database.prepare('INSERT INTO report VALUES (?, ?)').run(sequence, JSON.stringify(report));
      this.database.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)').run('sequence', String(sequence));
      this.database.exec('DELETE FROM open');
    });
  }

  /** The control plane has counted this report. */
  confirmed(stream: string, sequence: number): void {
    if (stream === this.meta('stream')) this.database.prepare('DELETE FROM report WHERE sequence <= ?').run(sequence);
  }

  close(): void {
    this.database.close();
  }

  private meta(name: string): string {
    const row = this.database.prepare('SELECT value FROM meta WHERE name = ?').get(name);
    return row === undefined ? '' : String(row['value']);
  }
}
