import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const ROLE = 'hithe';

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
      role: ROLE,
      database: ROLE,
      urlFile: this.paths.control.databaseUrl,
      urlFileOwner: this.users.root ? this.users.controlPlane : undefined,
    });
    return outcome;
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
