import { join } from 'node:path';

/** Variables of the machine that every process of the platform may need; nothing else of the caller's environment passes. */
const MACHINE = /^(PATH|LANG|LC_[A-Z]+|TZ|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|https?_proxy|HTTPS?_PROXY|no_proxy|NO_PROXY)$/;
/** For the bootstrap alone: what runs for long does not hold the administrator's password. */
const FIRST_START_ONLY = /^HITHE_ADMIN_/;
const DATABASE = /^HITHE_DATABASE_(OWNER_)?URL$/;
/** Credentials of services that the control plane alone talks to. */
const CONTROL_PLANE_ONLY = /^HITHE_(SMTP|OIDC|VAULT|AUDIT)_/;

function pick(wanted) {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => wanted(name)));
}

function common(paths, settings) {
  // Logs go to files.
  return { HITHE_HOME: paths.home, HITHE_HTTP_PORT: String(settings.port), NODE_ENV: 'production', NO_COLOR: '1' };
}

/**
 * Environment of the control plane. A database URL that stands alone is the owner's: the control plane then serves with the role
 * that the bootstrap made, whose URL it finds in its secrets.
 */
export function controlPlaneEnvironment(paths, settings) {
  const { databaseUrl, databaseOwnerUrl } = settings;
  return {
    ...pick((name) => MACHINE.test(name) || (name.startsWith('HITHE_') && !FIRST_START_ONLY.test(name) && !DATABASE.test(name))),
    ...(databaseUrl !== undefined && databaseOwnerUrl !== undefined ? { HITHE_DATABASE_URL: databaseUrl } : {}),
    ...common(paths, settings),
    HOME: paths.control.root,
    NODE_COMPILE_CACHE: join(paths.control.root, 'compile-cache'),
  };
}

/**
 * Environment of the agent: it also fetches packages, and hands on what `HITHE_BUILD_ENV` names. It has no business in
 * the database.
 */
export function agentEnvironment(paths, settings) {
  const mirrors = npmMirrors();
  const buildEnvironment = [process.env.HITHE_BUILD_ENV, ...mirrors.handed].filter(Boolean).join(' ');
  const handed = new Set(buildEnvironment.split(/\s+/).map((entry) => entry.split('=')[0]));
  const own = /^(HOME|XDG_[A-Z_]+)$/;
  return {
    ...mirrors.environment,
    ...pick(
      (name) =>
        MACHINE.test(name) ||
        own.test(name) ||
        handed.has(name) ||
        (name.startsWith('HITHE_') && ![FIRST_START_ONLY, DATABASE, CONTROL_PLANE_ONLY].some((pattern) => pattern.test(name))),
    ),
    ...common(paths, settings),
    ...(buildEnvironment === '' ? {} : { HITHE_BUILD_ENV: buildEnvironment }),
    NODE_COMPILE_CACHE: join(paths.agent.root, 'compile-cache'),
  };
}

/**
 * The registry and the CA file that this machine's npm is set to, which `npm start` finds in its environment: agent and
 * builds use them too, unless `HITHE_BUILD_ENV` says otherwise. An address that holds a password is not handed to tenants.
 */
function npmMirrors() {
  const { npm_config_registry: registry, npm_config_cafile: cafile, HITHE_BUILD_ENV: said = '' } = process.env;
  const certificates = process.env.NODE_EXTRA_CA_CERTS || cafile;
  const handed = [];
  if (registry && !/registry/i.test(said) && !/\/\/[^/]*@/.test(registry)) handed.push(`NPM_CONFIG_REGISTRY=${registry}`);
  if (certificates && !said.includes('NODE_EXTRA_CA_CERTS')) handed.push('NODE_EXTRA_CA_CERTS');
  return { handed, environment: certificates ? { NODE_EXTRA_CA_CERTS: certificates } : {} };
}
