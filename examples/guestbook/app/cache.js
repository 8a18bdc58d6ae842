// Visits and a short-lived copy of the newest entries, in Valkey. The book works without it: a failure is logged and answered
// with "not known".

const VISITS = 'guestbook:visits';
const ENTRIES = 'guestbook:entries';
const KEEP_SECONDS = 30;

export class Cache {
  #url;
  #client;
  #lastError;

  constructor(url) {
    this.#url = url;
  }

  /** Connects in the background; the client reconnects by itself for ever. */
  prepare() {
    this.#ready().catch((error) => this.#report(error));
  }

  #ready() {
    this.#client ??= this.#connect();
    return this.#client;
  }

  async #connect() {
    if (this.#url === undefined) throw new Error('VALKEY_URL is not set');
    const { default: Valkey } = await import('iovalkey');
    const client = new Valkey(this.#url, {
      connectTimeout: 3_000,
      commandTimeout: 1_000,
      maxRetriesPerRequest: 0,
      retryStrategy: (attempt) => Math.min(attempt * 100, 1_000),
    });
    client.on('error', (error) => this.#report(error));
    client.on('ready', () => (this.#lastError = undefined));
    return client;
  }

  /** Logs a failure once, not at every attempt to reconnect. */
  #report(error) {
    if (this.#lastError === error.message) return;
    this.#lastError = error.message;
    console.error(`cache: ${error.message}`);
  }

  async #attempt(work) {
    try {
      return await work(await this.#ready());
    } catch (error) {
      this.#report(error);
      return undefined;
    }
  }

  /** Counts a visit; the number of visits so far, or undefined. */
  countVisit() {
    return this.#attempt((client) => client.incr(VISITS));
  }

  visits() {
    return this.#attempt(async (client) => Number((await client.get(VISITS)) ?? 0));
  }

  entries() {
    return this.#attempt(async (client) => {
      const text = await client.get(ENTRIES);
      return text === null ? undefined : JSON.parse(text);
    });
  }

  keepEntries(list) {
    return this.#attempt((client) => client.set(ENTRIES, JSON.stringify(list), 'EX', KEEP_SECONDS));
  }

  forgetEntries() {
    return this.#attempt((client) => client.del(ENTRIES));
  }

  /** `ok`, or why the cache cannot be used. */
  async check() {
    try {
      await (await this.#ready()).ping();
      return 'ok';
    } catch (error) {
      return error.message;
    }
  }

  async close() {
    (await this.#client)?.disconnect();
  }
}
