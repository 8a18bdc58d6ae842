import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from './failure.mjs';
import { run } from './run.mjs';

/** What Hithe uses of the host: Debian's package, and a file or program that shows that it is there. */
const PLATFORM = [
  { package: 'bubblewrap', program: 'bwrap' },
  { package: 'git', program: 'git' },
  { package: 'util-linux', program: 'setpriv' },
  { package: 'util-linux', program: 'flock' },
  { package: 'util-linux', program: 'unshare' },
  { package: 'mount', program: 'mount' },
  { package: 'passwd', program: 'useradd' },
  { package: 'dpkg', program: 'dpkg-deb' },
  { package: 'apt', program: 'apt-get' },
  { package: 'tar', program: 'tar' },
  { package: 'xz-utils', program: 'xz' },
  { package: 'ca-certificates', file: '/etc/ssl/certs/ca-certificates.crt' },
  { package: 'debian-archive-keyring', file: '/usr/share/keyrings/debian-archive-keyring.gpg' },
];

const TESTS = [
  { package: 'shellcheck', program: 'shellcheck' },
  { package: 'shfmt', program: 'shfmt' },
  { package: 'openssl', program: 'openssl' },
  { package: 'procps', program: 'ps' },
  { package: 'chromium', program: 'chromium' },
];

const DIRECTORIES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/**
 * Makes sure that the host has what Hithe uses. Root on a system with apt-get gets it installed; anybody else gets a
 * `Failure` with the command to run. Returns a few words on what was done.
 */
export async function ensureHostPackages(say, { forTests = false } = {}) {
  const missing = await missingPackages(forTests);
  if (missing.length === 0) return 'all there';
  if (process.geteuid() !== 0 || !(await isProgram('apt-get')))
    throw new Failure(`Missing on this machine: ${missing.join(', ')}`, advice(missing));
  say(`installing ${missing.join(', ')}`);
  const install = () => apt(['install', '--yes', '--no-install-recommends', ...missing], say);
  // The lists may be absent or old; fetching them is only worth its time when the packages cannot be had without.
  await install().catch(async () => {
    say('refreshing the package lists');
    await apt(['update'], say);
    await install();
  });
  const left = await missingPackages(forTests);
  if (left.length > 0) throw new Failure(`apt-get installed the packages, but these are still missing: ${left.join(', ')}`, advice(left));
  return `installed ${missing.join(', ')}`;
}

/**
 * Makes sure that an ordinary uid may create user namespaces, on which every sandbox stands, also those of root's
 * tenants, who have left root behind before.
 */
export async function ensureNamespaces() {
  const sandbox = ['bwrap', '--unshare-user', '--unshare-pid', '--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev', '--', 'true'];
  const command = process.geteuid() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--', ...sandbox] : sandbox;
  try {
    await run(command[0], command.slice(1), { cwd: '/' });
  } catch (error) {
    throw new Failure(
      `This machine refuses user namespaces to ordinary users, without which Hithe isolates nobody:\n${error.message}`,
      'Allow them, as root:\n  sysctl -w kernel.unprivileged_userns_clone=1            # Debian\n' +
        '  sysctl -w kernel.apparmor_restrict_unprivileged_userns=0  # Ubuntu 23.10 and later\n  sysctl -w user.max_user_namespaces=15000\n' +
        'Inside a container, its runtime must allow them.',
    );
  }
}

async function missingPackages(forTests) {
  const missing = new Set();
  for (const need of [...PLATFORM, ...(forTests ? TESTS : [])]) {
    // An ordinary user makes no system users.
    if (need.package === 'passwd' && process.geteuid() !== 0) continue;
    const found = need.program === undefined ? await can(need.file, constants.R_OK) : await isProgram(need.program);
    if (!found) missing.add(need.package);
  }
  return [...missing];
}

async function apt(args, say) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  await run('apt-get', ['-o', 'DPkg::Lock::Timeout=120', '-o', 'Dpkg::Use-Pty=0', '-q', ...args], {
    env,
    say: say.live,
  });
}

function advice(missing) {
  const command = `apt-get update && apt-get install --no-install-recommends ${missing.join(' ')}`;
  return `Run, as root:\n  ${command}\nOn a system without apt-get, install the packages of the same purpose; Hithe needs bubblewrap, git, util-linux, tar, xz, and Debian's apt, dpkg and archive keyring, with which it fetches software for your projects.`;
}

async function isProgram(name) {
  const path = [...(process.env.PATH ?? '').split(':'), ...DIRECTORIES];
  for (const directory of path) if (await can(join(directory || '/nonexistent', name), constants.X_OK)) return true;
  return false;
}

async function can(path, mode) {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}
