import { writeFileSync } from 'node:fs';
import { DomainError } from '../../src/common/domain-error.js';
import { PortCatalogue } from '../../src/modules/ports/catalogue/port-catalogue.js';
import { Store } from '../../src/modules/runner/store/store.js';
import type { StoreOwner } from '../../src/modules/runner/store/store.types.js';

/** What one process of the store's tests does; its argument, as JSON. */
export interface StoreProcessTask {
  ports: string;
  storeDir: string;
  cacheDir: string;
  owner: StoreOwner;
  port: string;
  version: string;
  /** A file that each run of `setup.sh` adds to; with `hang` the script never ends. */
  setupMark: string;
  hang: boolean;
}

/** What it prints at its end, as JSON. */
export interface StoreProcessResult {
  path?: string;
  error?: { code: string; message: string; fix: string | undefined };
  progress: string[];
}

async function run(task: StoreProcessTask): Promise<StoreProcessResult> {
  const progress: string[] = [];
  const runSetup = async (): Promise<void> => {
    writeFileSync(task.setupMark, `${process.pid}\n`, { flag: 'a' });
    if (task.hang) await new Promise(() => setInterval(() => undefined, 1000));
  };
  const { storeDir, cacheDir, owner } = task;
  const store = await Store.open({ catalogue: await PortCatalogue.load([task.ports]), storeDir, cacheDir, owner, runSetup });
  try {
    const entry = await store.ensure(task.port, task.version, {}, { onProgress: (line) => progress.push(line) });
    return { path: entry.path, progress };
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return { error: { code: error.code, message: error.message, fix: error.fix }, progress };
  }
}

void run(JSON.parse(process.argv[2] ?? '') as StoreProcessTask).then((result) => {
  process.stdout.write(`${JSON.stringify(result)}\n`);
});
