import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from './digest.mjs';
import { Failure } from './failure.mjs';
import { Lock } from './lock.mjs';
import { run } from './run.mjs';

const LOCKFILES = ['package.json', 'package-lock.json', 'cli/package.json', 'client/package.json'];
const SOURCES = [
  'src',
  'migrations',
  'cli',
  'client',
  'tsconfig.json',
  'tsconfig.base.json',
  'package-lock.json',
  'bin/lib/installation.mjs',
];

/** The clone: its dependencies and its build, each made again only when what it is made of has changed. */
export class Installation {
  constructor(root) {
    this.root = root;
    this.node = join(root, `node_modules/node-linux-${process.arch}/bin/node`);
    this.dependencyStamp = join(root, 'node_modules/.hithe-stamp');
    this.buildStamp = join(root, 'dist/.hithe-stamp');
  }

  /** `npm ci`, when the lock file changed or node_modules is not whole. */
  async ensureDependencies(say) {
    const wanted = await digestOf(this.root, LOCKFILES);
    const done = async () => (await readStamp(this.dependencyStamp)) === wanted && (await exists(this.node));
    if (await done()) return 'up to date';
    return this.exclusively(say, async () => {
      if (await done()) return 'up to date';
      if (await this.isInstalled()) {
        await writeFile(this.dependencyStamp, wanted);
        return 'as npm installed them';
      }
      say('npm ci');
      await this.npm(['ci', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], say.live);
      if (!(await exists(this.node))) {
        throw new Failure(
          `npm ci did not install Node.js for linux-${process.arch}`,
          'Hithe brings its own Node.js as an optional dependency. Does your npm configuration omit optional packages, or is this not a 64-bit x86 or ARM machine?',
        );
      }
      await writeFile(this.dependencyStamp, wanted);
    });
  }

  /** Whether somebody ran `npm install` or `npm ci` since: npm's record of node_modules says what the lock file says. */
  async isInstalled() {
    const [wanted, present] = await Promise.all(
      ['package-lock.json', 'node_modules/.package-lock.json'].map((file) => readPackages(join(this.root, file))),
    );
    if (wanted === undefined || present === undefined || !(await exists(this.node))) return false;
    const differs = Object.entries(wanted).some(([path, entry]) => {
      if (path === '' || entry.link || !path.includes('node_modules/')) return false;
      return present[path] === undefined ? !entry.optional : present[path].version !== entry.version;
    });
    return !differs;
  }

  /** Compiles the platform and the command line tool, when a source changed. */
  async ensureBuild(say) {
    const wanted = await this.sourceDigest();
    if ((await readStamp(this.buildStamp)) === wanted) return 'up to date';
    return this.exclusively(say, async () => {
      if ((await readStamp(this.buildStamp)) === wanted) return 'up to date';
      await this.build(say);
      await writeFile(this.buildStamp, wanted);
    });
  }

  /** Identifies what would be running after a build. */
  sourceDigest() {
    return digestOf(this.root, SOURCES);
  }

  async build(say) {
    const tool = (...command) => run(join(this.root, 'bin/with-node'), command, { cwd: this.root });
    say('control plane and agent');
    await tool('tsc', '-p', '.');
    say('command line tool');
    await tool('node', 'cli/build.mjs');
  }

  /** npm must not see the environment of the `npm start` that we run in, nor omit what production omits.
   * A dependency's install script would report the installation to its maker. */
  async npm(args, say) {
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(npm_(lifecycle|package|command)|NODE_ENV$)/.test(name)),
    );
    await run('npm', args, {
      cwd: this.root,
      env: { ...env, SCARF_ANALYTICS: 'false' },
      say,
      fix: `Run 'npm ci' in ${this.root} to see more.`,
    });
  }

  async exclusively(say, work) {
    const directory = join(this.root, '.cache');
    try {
      await mkdir(directory, { recursive: true });
    } catch (cause) {
      throw new Failure(
        `${this.root} has to be built, but you may not write to it`,
        `Let its owner run 'npm ci && npm run build' there, or clone it into a directory of your own.`,
        { cause },
      );
    }
    const lock = await Lock.wait(join(directory, 'build.lock'), () => say('waiting for another build in this directory'));
    try {
      return await work();
    } finally {
      lock.release();
    }
  }
}

async function readPackages(file) {
  return readFile(file, 'utf8').then(
    (text) => JSON.parse(text).packages,
    () => undefined,
  );
}

async function readStamp(file) {
  return readFile(file, 'utf8').catch(() => undefined);
}

async function exists(path) {
  return access(path).then(
    () => true,
    () => false,
  );
}
