import { type Clock, systemClock } from '../../common/clock.js';
import type { EcPublicKey } from './key-pair.js';

/** A key as it is used: in memory, decrypted. */
export interface RingKey {
  kid: string;
  publicKey: EcPublicKey;
  publicKeyPem: string;
  /** PEM, of the key that signs; null for the others. */
  privateKey: string | null;
  verifiesUntil: Date | null;
}

/** How long a ring is believed without asking: the most that a replica which hears no notification lags behind. */
const TRUSTED_MS = 30_000;
/** An unknown key id is worth a look at the database, but not more often than this. */
const LOOK_AGAIN_MS = 1_000;

/** The keys of the installation in memory. Loads them when asked, when told that they changed, and when a key is unknown. */
export class KeyRing {
  private loading: Promise<RingKey[]> | undefined;
  private loadedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly load: () => Promise<RingKey[]>,
    private readonly clock: Clock = systemClock,
  ) {}

  /** All keys whose tokens are good. */
  async all(): Promise<RingKey[]> {
    if (this.age() > TRUSTED_MS) this.loading = undefined;
    this.loading ??= this.start();
    const now = this.clock.now();
    return (await this.loading).filter((key) => key.verifiesUntil === null || key.verifiesUntil > now);
  }

  /** The key of that id, unless there is none or it verifies no more. */
  async find(kid: string): Promise<RingKey | undefined> {
    const found = (await this.all()).find((key) => key.kid === kid);
    if (found || this.age() < LOOK_AGAIN_MS) return found;
    this.forget();
    return (await this.all()).find((key) => key.kid === kid);
  }

  /** The next question goes to the database. */
  forget(): void {
    this.loading = undefined;
  }

  private age(): number {
    return this.clock.monotonic() - this.loadedAt;
  }

  private start(): Promise<RingKey[]> {
    this.loadedAt = this.clock.monotonic();
    const loading = this.load();
    // A failure is not remembered: the next request tries again.
    loading.catch(() => {
      if (this.loading === loading) this.loading = undefined;
    });
    return loading;
  }
}
