import { DomainError } from '../../../../common/domain-error.js';
import { withFileLock } from '../file-lock.js';
import type { Apt, ResolvedArchive } from './apt.js';
import type { SourceContext } from './closure-source.js';

/** The package lists of one suite, which builds share: many may resolve at once, and nobody while they are fetched. */
export class SuiteLists {
  constructor(
    readonly apt: Apt,
    private readonly suite: string,
    private readonly lockFile: string,
    private readonly context: SourceContext,
  ) {}

  /** Fetches the lists unless they are younger than `maxAge` milliseconds; old ones do when the network is away. True when they came. */
  async refresh(maxAge: number): Promise<boolean> {
    const asked = Date.now();
    if (isYoung(await this.apt.listsTime(), asked, maxAge)) return false;
    return this.locked(false, async () => {
      // Somebody else may have fetched them while we waited.
      const time = await this.apt.listsTime();
      if (isYoung(time, asked, maxAge)) return true;
      try {
        await this.apt.update();
        return true;
      } catch (error) {
        if (time === undefined || !(error instanceof DomainError) || error.code !== 'STORE_NETWORK') throw error;
        this.context.progress(`warning: ${error.message}`);
        this.context.progress(`going on with the package lists of Debian ${this.suite} of ${new Date(time).toISOString()}`);
        return false;
      }
    });
  }

  /** See `Apt.resolve`. */
  resolve(packages: readonly string[], omit: readonly string[]): Promise<ResolvedArchive[]> {
    return this.locked(true, () => this.apt.resolve(packages, omit));
  }

  private locked<T>(shared: boolean, work: () => Promise<T>): Promise<T> {
    const { owner, signal } = this.context;
    const onWait = (): void => {
      this.context.progress(`waiting for the package lists of Debian ${this.suite}, which are being fetched`);
    };
    return withFileLock(this.lockFile, { owner, signal, shared, onWait }, work);
  }
}

function isYoung(time: number | undefined, asked: number, maxAge: number): boolean {
  return time !== undefined && asked - time < maxAge;
}
