import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { desired } from '../../../../test/runner/support/desired.js';
import { FRESH_MEMORY } from './allocation.types.js';
import { Journal } from './journal.js';

describe("the agent's journal", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'hithe-journal-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  const path = () => join(directory, 'journal.db');
  const marked = 'marked-secret-of-the-journal';
  const allocation = desired({ port: 'ok', vars: { PASSWORD: marked }, secretVars: ['PASSWORD'], secretEnv: { KEY: marked } });
  const onDisk = () => readdirSync(directory).map((name) => readFileSync(join(directory, name)).includes(marked));

  it('R43: keeps no secret in clear, and gives everything back', async () => {
    const journal = new Journal(path());
    const memory = { ...FRESH_MEMORY, failure: { step: 'start', message: marked } };
    journal.saveAllocation({ desired: allocation, memory });
    await journal.once('key', () => Promise.resolve(marked));
    journal.saveTaskResult('task', { marked }, new Date());
    expect(onDisk()).not.toContain(true);
    journal.close();
    expect(onDisk()).not.toContain(true);
    const again = new Journal(path());
    expect(again.allocations()).toEqual([{ desired: allocation, memory }]);
    expect(again.result('key')).toBe(marked);
    expect(again.taskResult('task')).toEqual({ marked });
    again.close();
    expect(statSync(`${path()}.key`).mode & 0o777).toBe(0o600);
  });

  it('seals what an older agent wrote in clear', () => {
    new Journal(path()).close();
    const database = new DatabaseSync(path());
    const row = [allocation.id, JSON.stringify(allocation), JSON.stringify(FRESH_MEMORY)];
    database.prepare('INSERT INTO allocations VALUES (?, ?, ?)').run(...row);
    database.close();
    expect(onDisk()).toContain(true);
    const journal = new Journal(path());
    expect(journal.allocations()).toEqual([{ desired: allocation, memory: FRESH_MEMORY }]);
    expect(onDisk()).not.toContain(true);
    journal.close();
  });
});
