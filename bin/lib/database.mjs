import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

/** Owner and database have one name; homes from before there were two roles have tables of this owner. */
const OWNER = 'hithe';
const ROLE = 'hithe_app';

/** The embedded PostgreSQL, from the build, looked after while the launcher runs. */
export class Database {
  constructor(server, { paths, users }) {
    Object.assign(this, { server, paths, users, wanted: false });
  }

  static async load({ installation, paths, users }) {
    const file = join(installation.root, 'dist/src/database/embedded-postgres/embedded-postgres.js');
    const { EmbeddedPostgres } = await import(pathToFileURL(file).href);
    const server = new EmbeddedPostgres({
      directories: paths.pg,
      logFile: paths.logs.postgres,
      user: users.root ? users.database : undefined,
      socketGroup: users.root ? users.controlPlane.gid : undefined,
    });
    return new Database(server, { paths, users });
  }

  /** Starts the server if need be, and keeps the control plane's URL in its secrets. */
  async ensureRunning() {
    const outcome = await this.server.ensureRunning();
    this.wanted = true;
    await this.server.ensureDatabase({
      owner: OWNER,
      role: ROLE,
      database: OWNER,
      urlFile: this.paths.control.databaseUrl,
      urlFileOwner: this.users.root ? this.users.controlPlane : undefined,
    });
    return outcome;
  }

  /** Runs `work`, the bootstrap, with a URL that is good for migrations until it ends. */
  asOwner(work) {
    return this.server.asOwner({ owner: OWNER, database: OWNER }, work);
  }

  /** Starts the server again whenever it ends, until `stop`. */
  async supervise(onEvent) {
    while (this.wanted) {
      await delay(1_000);
      if (!this.wanted) return;
      this.checking = this.check(onEvent);
      await this.checking;
    }
  }

  async check(onEvent) {
    try {
      if ((await this.server.ensureRunning()) === 'started')
        onEvent(`PostgreSQL had ended and was started again. See ${this.paths.logs.postgres}`);
    } catch (error) {
      onEvent(`PostgreSQL does not start: ${error.message}`);
    }
  }

  async stop() {
    this.wanted = false;
    await this.checking;
    await this.server.stop();
  }
}
