import type { EnsureOptions, PortStore, StoreEntry } from './store.types.js';

/** A store that is opened when it is first asked: reading the catalogue takes longer than all else of an agent's start. */
export class DeferredStore implements PortStore {
  private opened: Promise<PortStore> | undefined;

  constructor(private readonly open: () => Promise<PortStore>) {}

  async find(port: string, version: string, vars: Record<string, string>): Promise<StoreEntry | undefined> {
    return (await this.store()).find(port, version, vars);
  }

  async get(digest: string): Promise<StoreEntry | undefined> {
    return (await this.store()).get(digest);
  }

  async ensure(port: string, version: string, vars: Record<string, string>, options?: EnsureOptions): Promise<StoreEntry> {
    return (await this.store()).ensure(port, version, vars, options);
  }

  /** Opens it now; a failure is not kept, so that the next call tries again. */
  async store(): Promise<PortStore> {
    this.opened ??= this.open().catch((error: unknown) => {
      this.opened = undefined;
      throw error;
    });
    return this.opened;
  }
}
