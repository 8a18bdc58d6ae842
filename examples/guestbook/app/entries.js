// The entries of the book, in PostgreSQL.

const TABLE = `
  CREATE TABLE IF NOT EXISTS entries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    message text NOT NULL,
    signed_at timestamptz NOT NULL DEFAULT now()
  )`;
const LOCK = 7_405_631;
const SHOWN = 50;

export class Entries {
  #url;
  #pool;

  constructor(url) {
    this.#url = url;
  }

  /** Connects in the background; a failure is logged here and tried again at the next use. */
  prepare() {
    this.#ready().catch((error) => console.error(`database: ${error.message}`));
  }

  /** The pool, once the table exists. Forgotten after a failure, so that the next request tries again. */
  #ready() {
    this.#pool ??= this.#connect().catch((error) => {
      this.#pool = undefined;
      throw error;
    });
    return this.#pool;
  }

  async #connect() {
    if (this.#url === undefined) throw new Error('DATABASE_URL is not set');
    const { default: pg } = await import('pg');
    const pool = new pg.Pool({
      connectionString: this.#url,
      max: 8,
      connectionTimeoutMillis: 3_000,
      query_timeout: 5_000,
      keepAlive: true,
    });
    // A restart of the database ends idle connections; the pool makes new ones when they are needed.
    pool.on('error', (error) => console.error(`database: an idle connection was lost: ${error.message}`));
    try {
      await createTable(pool);
    } catch (error) {
      await pool.end();
      throw error;
    }
    return pool;
  }

  /** Runs a query, once more on a new connection if the pooled one turned out to be dead. */
  async #query(text, values, mayRepeat = true) {
    const pool = await this.#ready();
    try {
      return await pool.query(text, values);
    } catch (error) {
      const connectionLost = /terminat|ECONNRESET|EPIPE|Connection ended/i.test(`${error.code} ${error.message}`);
      if (connectionLost && mayRepeat) return this.#query(text, values, false);
      throw error;
    }
  }

  async newest() {
    const { rows } = await this.#query('SELECT name, message, signed_at AS "signedAt" FROM entries ORDER BY id DESC LIMIT $1', [SHOWN]);
    return rows.map((row) => ({ ...row, signedAt: row.signedAt.toISOString() }));
  }

  async count() {
    const { rows } = await this.#query('SELECT count(*)::int AS total FROM entries', []);
    return rows[0].total;
  }

  /** Not repeated after a lost connection: the entry may have been written. */
  async add({ name, message }) {
    await this.#query('INSERT INTO entries (name, message) VALUES ($1, $2)', [name, message], false);
  }

  /** `ok`, or why the database cannot be used. */
  async check() {
    try {
      await this.#query('SELECT 1', []);
      return 'ok';
    } catch (error) {
      return error.message;
    }
  }

  async close() {
    await (await this.#pool)?.end();
  }
}

/** Under a lock: two servers that start at once would otherwise both create the table, and one would fail. */
async function createTable(pool) {
  const client = await pool.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [LOCK]);
    await client.query(TABLE);
    await client.query('SELECT pg_advisory_unlock($1)', [LOCK]);
  } finally {
    client.release();
  }
}
