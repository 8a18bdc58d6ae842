import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from './failure.mjs';
import { run } from './run.mjs';

const NAME = 'guestbook';

/** Deploys examples/guestbook through the command line tool, as a person would, once in an installation's life. */
export class Example {
  constructor({ installation, paths, url, admin }) {
    Object.assign(this, { installation, url, admin });
    this.marker = join(paths.home, 'first-run-done');
    this.configuration = join(paths.home, 'cli');
  }

  async isDone() {
    return readFile(this.marker).then(
      () => true,
      () => false,
    );
  }

  /** Never again, also when somebody deletes the example. */
  async markDone() {
    await writeFile(this.marker, `${new Date().toISOString()}\n`);
  }

  async deploy(say) {
    if (this.admin?.password === undefined)
      throw new Failure('the password of the first administrator is not known any more', 'Deploy it yourself: see README.md');
    say('logging in');
    await this.hithe(['login', '--server', this.url, '--email', this.admin.email, '--password-stdin'], {
      input: `${this.admin.password}\n`,
    });
    await this.hithe(['apply', '-f', join(this.installation.root, 'examples', NAME, 'hithe.yaml')]);
    await this.hithe(['deploy', NAME], { say });
    await this.markDone();
    return this.address();
  }

  /** Where the example's page is, or undefined. */
  async address() {
    const status = JSON.parse(await this.hithe(['status', NAME, '--json']));
    const endpoint = status.components?.flatMap((component) => component.endpoints ?? []).find((found) => found.protocol === 'http');
    if (endpoint === undefined) return undefined;
    return endpoint.url ?? `http://${endpoint.address}:${endpoint.port}`;
  }

  async hithe(args, options = {}) {
    const tool = join(this.installation.root, 'cli/bin/hithe.cjs');
    const env = { ...process.env, HITHE_CONFIG_DIR: this.configuration, NO_COLOR: '1' };
    return run(process.execPath, [tool, ...args], { cwd: this.installation.root, env, ...options });
  }
}
