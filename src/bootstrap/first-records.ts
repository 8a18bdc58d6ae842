import type { INestApplicationContext } from '@nestjs/common';
import type { Config } from '../config/config.js';
import { UserDirectory } from '../modules/users/user-directory.js';
import { UsersService } from '../modules/users/users.service.js';
import { LocalNodeRegistrar } from './local-node-registrar.js';

/** What the launcher reads from the bootstrap's standard output, as one line of JSON. */
export interface BootstrapReport {
  /** Whether this database had no platform administrator before. */
  firstRun: boolean;
  /** The first administrator, when this run created them. */
  admin?: { email: string; password: string };
  /** The local node, when this run registered it or renewed its credential. */
  node?: { id: string; credential: string };
}

/** Creates the first administrator and registers this machine as a node, unless they exist. Safe to repeat. */
export async function makeFirstRecords(
  app: INestApplicationContext,
  config: Config,
  options: { renewNode: boolean },
): Promise<BootstrapReport> {
  const firstRun = !(await app.get(UserDirectory, { strict: false }).hasPlatformAdmin());
  const admin = firstRun ? await createAdmin(app.get(UsersService, { strict: false }), config) : undefined;
  const node = await app.get<LocalNodeRegistrar>(LocalNodeRegistrar, { strict: false }).ensure({ renew: options.renewNode });
  return {
    firstRun,
    ...(admin ? { admin } : {}),
    ...(node ? { node: { id: node.nodeId, credential: node.credential } } : {}),
  };
}

async function createAdmin(users: UsersService, config: Config): Promise<{ email: string; password: string }> {
  const { user, initialPassword } = await users.open(
    { email: config.adminEmail, password: config.adminPassword, platformAdmin: true },
    'bootstrap',
  );
  const password = config.adminPassword ?? initialPassword;
  if (password === undefined) throw new TypeError('The administrator has no password');
  return { email: user.email, password };
}
