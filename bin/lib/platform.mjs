import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { agentEnvironment, controlPlaneEnvironment } from './environment.mjs';
import { run, succeeds } from './run.mjs';
import { Service } from './service.mjs';

/** The small young generation saves 50 MB at rest (248 to 190 measured), for start-up work that is 5 % slower. */
const NODE_FLAGS = ['--enable-source-maps', '--max-semi-space-size=4'];
const NO_PRIVILEGES = ['--clear-groups', '--no-new-privs', '--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all', '--'];
/** The parts of the clone that the control plane reads. */
const READ = ['package.json', 'ports', 'dist', 'node_modules'];
const READABLE =
  'for f in package.json ports/* dist/src/main.js node_modules/pg/package.json; do cat "$f" >/dev/null 2>&1 || test -x "$f" || { echo "cannot read $f"; exit 1; }; done';
/** $1 = the clone, $2 = where to show it; the rest is the command. */
const IN_OWN_VIEW = 'mount --bind "$1" "$2"; mount -o remount,bind,ro "$2"; cd "$2"; shift 2; exec "$@"';

/** The processes of one installation: how each is started, as whom, and with what. */
export class Platform {
  constructor({ installation, paths, users, settings, build }) {
    Object.assign(this, { installation, paths, users, settings, build });
    this.controlPlane = this.service('control-plane', 'The control plane', paths.logs.controlPlane, {
      command: this.asControlPlane('dist/src/main.js'),
      env: controlPlaneEnvironment(paths, settings),
    });
    this.agent = this.service('agent', 'The agent', paths.logs.agent, {
      command: [installation.node, ...NODE_FLAGS, join(installation.root, 'dist/src/agent.js')],
      env: agentEnvironment(paths, settings),
    });
  }

  service(name, title, log, { command, env }) {
    // Of the environment, only what configures Hithe: npm's own variables differ from one way of starting to the next.
    const configuration = Object.entries(env).filter(([variable]) => variable.startsWith('HITHE_'));
    const version = createHash('sha256')
      .update(JSON.stringify([this.build, command, configuration.sort()]))
      .digest('hex');
    return new Service({ name, title, directory: this.paths.run, log, command, env, version });
  }

  /**
   * A command that runs one of our programs as the control plane's uid, which may not be able to enter the clone (in
   * /root, say): it sees the clone at `$HITHE_HOME/app`, read-only, in a mount namespace of its own.
   */
  asControlPlane(program) {
    const { root, node } = this.installation;
    if (!this.users.root) return [node, ...NODE_FLAGS, join(root, program)];
    return this.inOwnView([node.replace(root, this.paths.app), ...NODE_FLAGS, program]);
  }

  inOwnView(command) {
    const { uid, gid } = this.users.controlPlane;
    const view = [
      'unshare',
      '--mount',
      '--propagation',
      'private',
      '--',
      'sh',
      '-euc',
      IN_OWN_VIEW,
      'sh',
      this.installation.root,
      this.paths.app,
    ];
    return [...view, 'setpriv', `--reuid=${uid}`, `--regid=${gid}`, ...NO_PRIVILEGES, ...command];
  }

  /** Makes sure that the control plane's uid can read the clone, whatever the umask was that it was made under. */
  async ensureReadable(say) {
    if (!this.users.root) return;
    const { root } = this.installation;
    const [program, ...args] = this.inOwnView(['sh', '-c', READABLE]);
    const readable = () => succeeds(program, args, { cwd: '/' });
    if (await readable()) return;
    say(`chmod -R a+rX ${root}`);
    await run('chmod', ['-R', 'a+rX', ...READ.map((part) => join(root, part))]);
    // Once more with its output, so that the error tells what is in the way.
    await run(program, args, {
      cwd: '/',
      fix: `The user hithe must be able to read ${root}, and root to mount: is this an unprivileged container?`,
    });
  }

  /** Migrates the database as its owner, makes the first records, and resolves with what the program reports of them. */
  async bootstrap({ arguments: more, environment, ownerUrl }) {
    const [program, ...args] = this.asControlPlane('dist/src/bootstrap.js');
    const env = { ...controlPlaneEnvironment(this.paths, this.settings), ...environment, HITHE_DATABASE_OWNER_URL: ownerUrl };
    const output = await run(program, [...args, ...more], { cwd: '/', env });
    return JSON.parse(output.trim().split('\n').at(-1));
  }
}
