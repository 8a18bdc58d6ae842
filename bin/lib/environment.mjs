import { join } from 'node:path';

/** Variables of the machine that every process of the platform may need; nothing else of the caller's environment passes. */
const MACHINE = /^(PATH|LANG|LC_[A-Z]+|TZ|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|https?_proxy|HTTPS?_PROXY|no_proxy|NO_PROXY)$/;
/** For the launcher and the bootstrap alone: what runs for long does not hold the administrator's password. */
const FIRST_START_ONLY = /^HITHE_ADMIN_/;

function pick(wanted) {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => wanted(name)));
}

/** Environment of the control plane. */
export function controlPlaneEnvironment(paths) {
  return {
    ...pick((name) => MACHINE.test(name) || (name.startsWith('HITHE_') && !FIRST_START_ONLY.test(name))),
    HITHE_HOME: paths.home,
    HOME: paths.control.root,
    NODE_ENV: 'production',
    NODE_COMPILE_CACHE: join(paths.control.root, 'compile-cache'),
  };
}

/** Environment of the bootstrap, which makes the first administrator. */
export function bootstrapEnvironment(paths) {
  return { ...controlPlaneEnvironment(paths), ...pick((name) => FIRST_START_ONLY.test(name)) };
}

/** Environment of the agent: it also fetches packages, and hands on what `HITHE_BUILD_ENV` names. It has no business in the database. */
export function agentEnvironment(paths) {
  const handed = new Set((process.env.HITHE_BUILD_ENV ?? '').split(/\s+/).map((entry) => entry.split('=')[0]));
  return {
    ...pick(
      (name) =>
        MACHINE.test(name) ||
        handed.has(name) ||
        /^(HOME|XDG_[A-Z_]+|npm_config_[a-z_]+|NPM_CONFIG_[A-Z_]+)$/.test(name) ||
        (name.startsWith('HITHE_') && !FIRST_START_ONLY.test(name) && name !== 'HITHE_DATABASE_URL'),
    ),
    HITHE_HOME: paths.home,
    NODE_ENV: 'production',
    NODE_COMPILE_CACHE: join(paths.agent.root, 'compile-cache'),
  };
}
