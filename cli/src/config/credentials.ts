import { join } from 'node:path';
import type { TokenStore, Tokens } from '@hithe/client';
import { readJson, writePrivate } from './config-file.js';
import { withFileLock } from './file-lock.js';

/** What is kept for one server in `credentials.json`. */
export interface StoredCredentials extends Tokens {
  email: string;
}

/** `credentials.json`, mode 0600: the tokens of each server, under a lock that all hithe processes share. */
export class CredentialsFile {
  private readonly file: string;

  constructor(directory: string) {
    this.file = join(directory, 'credentials.json');
  }

  async get(server: string): Promise<StoredCredentials | undefined> {
    return (await this.readAll())[server];
  }

  /** Stores what `change` makes of a server's credentials; `undefined` removes them. */
  async update(
    server: string,
    change: (current: StoredCredentials | undefined) => Promise<StoredCredentials | undefined>,
  ): Promise<StoredCredentials | undefined> {
    return withFileLock(`${this.file}.lock`, async () => {
      const all = await this.readAll();
      const next = await change(all[server]);
      if (next === all[server]) return next;
      const others = Object.fromEntries(Object.entries(all).filter(([name]) => name !== server));
      await writePrivate(this.file, { servers: next === undefined ? others : { ...others, [server]: next } });
      return next;
    });
  }

  /** The part of one server, as the client wants it. */
  storeFor(server: string): TokenStore {
    return {
      read: () => this.get(server),
      update: (change) =>
        this.update(server, async (current) => {
          const tokens = await change(current);
          return tokens === undefined ? undefined : { ...tokens, email: current?.email ?? '' };
        }),
    };
  }

  private async readAll(): Promise<Partial<Record<string, StoredCredentials>>> {
    const { servers } = await readJson(this.file);
    return typeof servers === 'object' && servers !== null ? servers : {};
  }
}
