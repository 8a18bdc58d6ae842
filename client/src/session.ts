/** What a log-in yields. A token given by hand has no refresh token and no known end. */
export interface Tokens {
  accessToken: string;
  refreshToken?: string;
  /** Milliseconds since 1970 at which the access token ends. */
  expiresAt?: number;
}

/** Where tokens are kept. Several processes may share one store. */
export interface TokenStore {
  read(): Promise<Tokens | undefined>;
  /**
   * Calls `change` with the newest tokens while nobody else may change them, and stores what it returns
   * (`undefined` forgets them). Returns what was stored.
   */
  update(change: (current: Tokens | undefined) => Promise<Tokens | undefined>): Promise<Tokens | undefined>;
}

/** Keeps tokens in memory only. */
export class MemoryTokenStore implements TokenStore {
  private queue: Promise<unknown> = Promise.resolve();

  constructor(private tokens?: Tokens) {}

  read(): Promise<Tokens | undefined> {
    return Promise.resolve(this.tokens);
  }

  update(change: (current: Tokens | undefined) => Promise<Tokens | undefined>): Promise<Tokens | undefined> {
    const next = this.queue.then(async () => (this.tokens = await change(this.tokens)));
    this.queue = next.catch(() => undefined);
    return next;
  }
}

/** Exchanges a refresh token for new tokens; `undefined` when the server refuses it. */
export type Refresh = (refreshToken: string) => Promise<Tokens | undefined>;

/** A token that ends sooner than this is renewed before it is used. */
const MARGIN_MS = 30_000;

/**
 * Hands out an access token that is good now. A refresh token works once, so renewal happens under the store's lock and
 * only if nobody else has renewed meanwhile.
 */
export class Session {
  constructor(
    private readonly store: TokenStore,
    private readonly refresh: Refresh,
    private readonly now: () => number = Date.now,
  ) {}

  /** The access token, renewed when it is about to end or equals `rejected`; `undefined` when nobody is logged in. */
  async accessToken(rejected?: string): Promise<string | undefined> {
    const tokens = await this.store.read();
    if (tokens === undefined) return undefined;
    if (this.isGood(tokens, rejected)) return tokens.accessToken;
    if (tokens.refreshToken === undefined) return rejected === undefined ? tokens.accessToken : undefined;
    const renewed = await this.store.update(async (current) => {
      if (current?.refreshToken === undefined || this.isGood(current, rejected)) return current;
      return this.refresh(current.refreshToken);
    });
    return renewed?.accessToken;
  }

  private isGood(tokens: Tokens, rejected: string | undefined): boolean {
    return tokens.accessToken !== rejected && (tokens.expiresAt === undefined || tokens.expiresAt - MARGIN_MS > this.now());
  }
}
