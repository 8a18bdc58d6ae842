import 'reflect-metadata';
import { existsSync, readFileSync } from 'node:fs';
import {
  ArrayMinSize,
  IsEmail,
  IsIn,
  IsInt,
  IsIP,
  IsOptional,
  IsString,
  IsUrl,
  Matches,
  Max,
  Min,
  MinLength,
  validateSync,
} from 'class-validator';
import { DomainError, type Fault } from '../common/domain-error.js';
import { Env, declarationsOf } from './env.decorator.js';
import { type HithePaths, hitheHome, hithePaths } from './home.js';
import { IsOidcGroups, type OidcGroups, parseOidcGroups } from './oidc-groups.js';
import { IsPortRange, type PortRange, parsePortRange } from './port-range.js';
import { IsTrustedProxies, type TrustedProxies, parseTrustedProxies } from './trusted-proxies.js';

export const ROLES = ['api', 'worker'] as const;
export type Role = (typeof ROLES)[number];
export const SIGN_UP_MODES = ['invite', 'open', 'oidc'] as const;
export type SignUpMode = (typeof SIGN_UP_MODES)[number];
export const SECOND_FACTOR_DEMANDS = ['none', 'admins', 'all'] as const;
export type SecondFactorDemand = (typeof SECOND_FACTOR_DEMANDS)[number];
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const list =
  (separator: RegExp) =>
  (text: string): string[] =>
    text
      .split(separator)
      .map((part) => part.trim())
      .filter((part) => part !== '');
const integer = (text: string): number => (/^-?\d+$/.test(text.trim()) ? Number(text) : Number.NaN);
const boolean = (text: string): boolean => ['1', 'true', 'yes'].includes(text.trim().toLowerCase());

/**
 * The whole configuration of the control plane and the agent: validated, typed, read once from the environment.
 * `.env.example` is generated from this class; nothing else reads `process.env`.
 */
export class Config {
  @Env('HITHE_HOME', {
    description: 'Directory of everything that this installation keeps.',
    example: '/var/lib/hithe',
    defaultDescription: '/var/lib/hithe as root, ~/.local/share/hithe otherwise',
    fix: 'Name an absolute directory.',
  })
  @IsString()
  home: string = hitheHome({});

  @Env('HITHE_HTTP_PORT', {
    description: 'Network port of the API and the dashboard.',
    example: '7070',
    default: '7070',
    parse: integer,
    fix: 'Set a whole number from 0 to 65535; 0 takes any free port.',
  })
  @IsInt()
  @Min(0)
  @Max(65535)
  httpPort: number;

  @Env('HITHE_HTTP_ADDRESS', {
    description: 'Address to listen on. Keep it on loopback unless a TLS proxy stands in front.',
    example: '127.0.0.1',
    default: '127.0.0.1',
    fix: 'Set an IP address of this machine, or 0.0.0.0 for all.',
  })
  @IsIP()
  httpAddress: string;

  @Env('HITHE_DATABASE_URL', {
    description: 'PostgreSQL of the control plane, as a role that owns nothing in it. Absent: the embedded one.',
    example: 'postgresql://hithe_app:secret@db.example.org:5432/hithe',
    defaultDescription: 'content of $HITHE_HOME/control/secrets/database-url',
    fix: "Set postgresql://USER:PASSWORD@HOST:PORT/DATABASE, or run 'npm start', which writes the file for the embedded database.",
  })
  @Matches(/^(?:(?:postgres|postgresql|socket):.+)?$/, { message: 'must be a postgresql:// URL' })
  databaseUrl: string;

  @Env('HITHE_DATABASE_OWNER_URL', {
    description:
      'The role that owns the tables, for the bootstrap alone: it migrates, and gives the role of HITHE_DATABASE_URL its rights. The control plane never reads it.',
    example: 'postgresql://hithe_owner:secret@db.example.org:5432/hithe',
    defaultDescription: 'HITHE_DATABASE_URL',
    fix: 'Set postgresql://USER:PASSWORD@HOST:PORT/DATABASE with the same database as HITHE_DATABASE_URL.',
  })
  @IsOptional()
  @Matches(/^(?:postgres|postgresql|socket):.+$/, { message: 'must be a postgresql:// URL' })
  databaseOwnerUrl?: string;

  @Env('HITHE_ADMIN_EMAIL', {
    description: 'Address of the first platform administrator, created on the first start.',
    example: 'you@example.org',
    default: 'admin@hithe.local',
    fix: 'Set an e-mail address.',
  })
  @IsEmail({ require_tld: false })
  adminEmail: string;

  @Env('HITHE_ADMIN_PASSWORD', {
    description: 'Password of the first administrator. Absent: one is generated and kept in $HITHE_HOME/initial-admin.json.',
    example: 'a long passphrase of your own',
    fix: 'Use at least 12 characters.',
  })
  @IsOptional()
  @MinLength(12)
  adminPassword?: string;

  @Env('HITHE_ROLES', {
    description: 'What this process does: `api` answers HTTP, `worker` runs jobs.',
    example: 'api,worker',
    default: 'api,worker',
    parse: list(/,/),
    fix: 'Set "api", "worker" or "api,worker".',
  })
  @ArrayMinSize(1)
  @IsIn(ROLES, { each: true })
  roles: Role[];

  @Env('HITHE_ISOLATION', {
    description: '`sandbox` isolates every tenant. `none` (no walls, for a single tenant) is reserved; the agent refuses it for now.',
    example: 'sandbox',
    default: 'sandbox',
    fix: 'Set "sandbox" or "none".',
  })
  @IsIn(['sandbox', 'none'])
  isolation: 'sandbox' | 'none';

  @Env('HITHE_PORTS_PATH', {
    description: 'Further directories of ports, separated by ":"; a libscript checkout is one.',
    example: '/opt/libscript:/srv/our-ports',
    default: '',
    parse: list(/:/),
    fix: 'Name absolute directories, separated by ":".',
  })
  @Matches(/^\//, { each: true, message: 'must be absolute directories' })
  portsPath: string[];

  @Env('HITHE_DEBIAN_MIRROR', {
    description: "Debian mirror for closures. Absent: the one in the host's apt configuration.",
    example: 'https://mirror.example.org/debian',
    fix: 'Set an http or https address.',
  })
  @IsOptional()
  @IsUrl({ require_tld: false, protocols: ['http', 'https'], require_protocol: true })
  debianMirror?: string;

  @Env('HITHE_BUILD_ENV', {
    description: "Variables that build scripts may see, separated by blanks: NAME passes the agent's own value, NAME=VALUE sets one.",
    example: 'NPM_CONFIG_REGISTRY=http://npm.example.org NODE_EXTRA_CA_CERTS',
    default: '',
    parse: list(/\s+/),
    fix: 'Use NAME or NAME=VALUE, separated by blanks.',
  })
  @Matches(/^[A-Za-z_][A-Za-z0-9_]*(=.*)?$/, { each: true, message: 'must be NAME or NAME=VALUE' })
  buildEnv: string[];

  @Env('HITHE_TENANT_UID_BASE', {
    description: 'Uid of tenant number 0 (root mode). Each tenant has one uid above it.',
    example: '1900000000',
    defaultDescription: 'a block of 100,000 uids that HITHE_HOME selects',
    parse: integer,
    fix: 'Set a whole number outside of the ranges in /etc/passwd and /etc/subuid.',
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(4_294_867_295)
  tenantUidBase?: number;

  @Env('HITHE_PORT_RANGE', {
    description: 'Network ports that are leased to components, first-last.',
    example: '20000-29999',
    default: '20000-29999',
    parse: parsePortRange,
    fix: 'Set FIRST-LAST, with 1024 <= FIRST <= LAST <= 65535.',
  })
  @IsPortRange()
  portRange: PortRange;

  @Env('HITHE_STORE', {
    description: 'Directory of installed software, shared by all tenants.',
    example: '/var/lib/hithe/store',
    defaultDescription: '$HITHE_HOME/store',
    fix: 'Name an absolute directory.',
  })
  @IsOptional()
  @Matches(/^\//, { message: 'must be an absolute directory' })
  store?: string;

  @Env('HITHE_CACHE', {
    description: 'Directory of verified downloads.',
    example: '/var/cache/hithe',
    defaultDescription: '$HITHE_HOME/cache',
    fix: 'Name an absolute directory.',
  })
  @IsOptional()
  @Matches(/^\//, { message: 'must be an absolute directory' })
  cache?: string;

  @Env('HITHE_USAGE_INTERVAL', {
    description:
      'Seconds after which the agent looks again at what components use; it reports every fourth and measures disks every fortieth time.',
    example: '15',
    default: '15',
    parse: Number,
    fix: 'Set 0.1 to 3600 seconds.',
  })
  @Min(0.1)
  @Max(3_600)
  usageInterval: number;

  @Env('HITHE_LOG_LEVEL', {
    description: 'Least severe messages that are logged: fatal, error, warn, info, debug, trace or silent.',
    example: 'info',
    default: 'info',
    fix: `Set one of ${LOG_LEVELS.join(', ')}.`,
  })
  @IsIn(LOG_LEVELS)
  logLevel: LogLevel;

  @Env('HITHE_ACCESS_TOKEN_TTL', {
    description: 'Seconds for which an access token is valid.',
    example: '600',
    default: '600',
    parse: integer,
    fix: 'Set 30 to 3600 seconds.',
  })
  @IsInt()
  @Min(30)
  @Max(3_600)
  accessTokenTtl: number;

  @Env('HITHE_REFRESH_TOKEN_TTL', {
    description: 'Seconds after which an unused log-in ends.',
    example: '1209600',
    default: '1209600',
    parse: integer,
    fix: 'Set 60 to 31536000 seconds.',
  })
  @IsInt()
  @Min(60)
  @Max(31_536_000)
  refreshTokenTtl: number;

  @Env('HITHE_SIGNING_KEY_DAYS', {
    description: 'Days after which a new key signs the access tokens. The one before verifies until its last token has expired.',
    example: '30',
    default: '30',
    parse: integer,
    fix: 'Set 1 to 3650 days.',
  })
  @IsInt()
  @Min(1)
  @Max(3_650)
  signingKeyDays: number;

  @Env('HITHE_SIGN_UP', {
    description: 'Who gets an account: `invite` whoever was invited, `open` anybody, `oidc` whoever the OIDC provider knows.',
    example: 'invite',
    default: 'invite',
    fix: `Set one of ${SIGN_UP_MODES.join(', ')}.`,
  })
  @IsIn(SIGN_UP_MODES)
  signUp: SignUpMode;

  @Env('HITHE_PUBLIC_URL', {
    description: 'Address under which people reach this installation; links in invitations and mails begin with it.',
    example: 'https://hithe.example.org',
    defaultDescription: 'http://localhost:HITHE_HTTP_PORT',
    parse: (text) => text.replace(/\/+$/, ''),
    fix: 'Set an http or https address.',
  })
  @IsUrl({ require_tld: false, protocols: ['http', 'https'], require_protocol: true })
  publicUrl: string;

  @Env('HITHE_SMTP_URL', {
    description: 'Mail server for invitations and password resets. Absent: no mail is sent, and links are shown to whoever makes them.',
    example: 'smtps://hithe:secret@mail.example.org:465',
    fix: 'Set smtp://USER:PASSWORD@HOST:PORT (STARTTLS when offered) or smtps://… (TLS from the start).',
  })
  @IsOptional()
  @Matches(/^smtps?:\/\/[^/\s]+/, { message: 'must be an smtp:// or smtps:// URL' })
  smtpUrl?: string;

  @Env('HITHE_MAIL_FROM', {
    description: 'Sender of mails.',
    example: 'Hithe <hithe@example.org>',
    default: 'Hithe <hithe@localhost>',
    fix: 'Set an address, or NAME <ADDRESS>.',
  })
  @Matches(/^(?:[^<>@\r\n]*<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/, { message: 'must be an address, or NAME <ADDRESS>' })
  mailFrom: string;

  @Env('HITHE_TRUST_PROXY', {
    description:
      'Proxies whose X-Forwarded-For is believed: how many stand in front, or their addresses and networks, separated by commas. Absent: none.',
    example: 'loopback,10.0.0.0/8',
    default: '',
    parse: parseTrustedProxies,
    fix: 'Set a number of proxies, or addresses, networks, loopback, linklocal or uniquelocal, separated by commas.',
  })
  @IsTrustedProxies()
  trustProxy: TrustedProxies;

  @Env('HITHE_REQUIRE_SECOND_FACTOR', {
    description: 'Who needs a second factor: `none`, `admins` (of the platform) or `all`. Whoever lacks one can do nothing but set one up.',
    example: 'admins',
    default: 'none',
    fix: `Set one of ${SECOND_FACTOR_DEMANDS.join(', ')}.`,
  })
  @IsIn(SECOND_FACTOR_DEMANDS)
  requireSecondFactor: SecondFactorDemand;

  @Env('HITHE_OIDC_ISSUER', {
    description: 'OIDC provider with which people may log in: its issuer, where /.well-known/openid-configuration begins. Absent: none.',
    example: 'https://login.example.org/realms/harbour',
    fix: 'Set the http or https address that the provider calls its issuer.',
  })
  @IsOptional()
  @IsUrl({ require_tld: false, protocols: ['http', 'https'], require_protocol: true })
  oidcIssuer?: string;

  @Env('HITHE_OIDC_CLIENT_ID', {
    description: 'Id that the OIDC provider has given to Hithe. Its redirect address is HITHE_PUBLIC_URL/api/v1/auth/oidc/callback.',
    example: 'hithe',
    default: 'hithe',
    fix: 'Copy it from the provider.',
  })
  @MinLength(1)
  oidcClientId: string;

  @Env('HITHE_OIDC_CLIENT_SECRET', {
    description: 'Secret that the OIDC provider has given to Hithe. Absent: a public client, protected by PKCE alone.',
    example: 'a secret from the provider',
    fix: 'Copy it from the provider, or name a file in HITHE_OIDC_CLIENT_SECRET_FILE.',
  })
  @IsOptional()
  @MinLength(1)
  oidcClientSecret?: string;

  @Env('HITHE_OIDC_CLIENT_SECRET_FILE', {
    description: 'File that holds the secret of HITHE_OIDC_CLIENT_SECRET instead; read when the provider is first asked.',
    example: '/run/secrets/hithe-oidc',
    fix: 'Name an absolute file that the control plane can read.',
  })
  @IsOptional()
  @Matches(/^\//, { message: 'must be an absolute file' })
  oidcClientSecretFile?: string;

  @Env('HITHE_OIDC_NAME', {
    description: 'What people call the OIDC provider; on the button that logs in with it.',
    example: 'Harbour account',
    default: 'Single sign-on',
    fix: 'Set a few words.',
  })
  @MinLength(1)
  oidcName: string;

  @Env('HITHE_OIDC_SCOPES', {
    description: 'Scopes asked of the OIDC provider, separated by blanks. Some need one more for groups.',
    example: 'openid email profile groups',
    default: 'openid email profile',
    fix: 'Set scopes separated by blanks, openid among them.',
  })
  @Matches(/(?:^|\s)openid(?:\s|$)/, { message: 'must contain openid' })
  oidcScopes: string;

  @Env('HITHE_OIDC_LINK_BY_EMAIL', {
    description:
      'Lets an OIDC log-in into the existing account of the same address, if the provider has verified it. Only for a provider that you trust with every account.',
    example: '0',
    default: '0',
    parse: boolean,
    fix: 'Set 1 or 0.',
  })
  oidcLinkByEmail: boolean;

  @Env('HITHE_OIDC_GROUPS_CLAIM', {
    description: "Name of the claim that lists a person's groups.",
    example: 'groups',
    default: 'groups',
    fix: 'Set the name of a claim of the ID token or of the user info.',
  })
  @MinLength(1)
  oidcGroupsClaim: string;

  @Env('HITHE_OIDC_GROUPS', {
    description: 'What groups give, as JSON: group → roles by slug of the team, or "platform-admin". Set anew at each OIDC log-in.',
    example: '{"developers": {"harbour-crew": "developer"}, "operators": "platform-admin"}',
    parse: parseOidcGroups,
    fix: 'Set JSON such as {"developers": {"harbour-crew": "developer"}, "operators": "platform-admin"}.',
  })
  @IsOptional()
  @IsOidcGroups()
  oidcGroups?: OidcGroups;

  @Env('HITHE_DATABASE_POOL', {
    description: 'Most database connections that one control plane holds for requests.',
    example: '10',
    default: '10',
    parse: integer,
    fix: 'Set 2 to 200.',
  })
  @IsInt()
  @Min(2)
  @Max(200)
  databasePool: number;

  @Env('HITHE_VAULT_ADDR', {
    description: 'Address of a HashiCorp Vault or OpenBao whose KV secrets variables may name (`vault:PATH#KEY`).',
    example: 'https://vault.example.org:8200',
    fix: 'Set an http or https address without a path.',
  })
  @IsOptional()
  @IsUrl({ require_tld: false, protocols: ['http', 'https'], require_protocol: true })
  vaultAddress?: string;

  @Env('HITHE_VAULT_NAMESPACE', {
    description: 'Namespace within the vault.',
    example: 'platform/hithe',
    fix: 'Set letters, digits, "-", "_" and "/".',
  })
  @IsOptional()
  @Matches(/^[\w/-]+$/, { message: 'must be a namespace' })
  vaultNamespace?: string;

  @Env('HITHE_VAULT_TOKEN_FILE', {
    description: 'File with the token for the vault, read before each use. Or use HITHE_VAULT_ROLE_ID.',
    example: '/run/secrets/vault-token',
    fix: 'Name an absolute file that the control plane may read.',
  })
  @IsOptional()
  @Matches(/^\//, { message: 'must be an absolute file' })
  vaultTokenFile?: string;

  @Env('HITHE_VAULT_ROLE_ID', {
    description: 'Role id of an AppRole to log in to the vault with.',
    example: '59d6d1ca-47bb-4e7e-a40b-8be3bc5a0ba8',
    fix: 'Set the role id, and HITHE_VAULT_SECRET_ID_FILE.',
  })
  @IsOptional()
  @IsString()
  vaultRoleId?: string;

  @Env('HITHE_VAULT_SECRET_ID_FILE', {
    description: 'File with the secret id of that AppRole.',
    example: '/run/secrets/vault-secret-id',
    fix: 'Name an absolute file that the control plane may read.',
  })
  @IsOptional()
  @Matches(/^\//, { message: 'must be an absolute file' })
  vaultSecretIdFile?: string;

  @Env('HITHE_VAULT_PATH', {
    description:
      "Where a team's secrets are in the vault: mount and path, with {team} (its short name) or {teamId}. Nothing else can be named.",
    example: 'kv/hithe/{team}',
    default: 'kv/hithe/{team}',
    fix: 'Set MOUNT/PATH with {team} or {teamId} as a whole part of it.',
  })
  @Matches(/^[\w.-]+(?:\/[\w.-]+)*\/\{team(?:Id)?\}(?:\/[\w.-]+)*$/, { message: 'must be MOUNT/…/{team}' })
  vaultPath: string;

  @Env('HITHE_AUDIT_HEAD_INTERVAL', {
    description: 'Seconds after which the head of the audit log, when it has moved, is signed and written outside of the database.',
    example: '60',
    default: '60',
    parse: integer,
    fix: 'Set 1 to 86400 seconds.',
  })
  @IsInt()
  @Min(1)
  @Max(86_400)
  auditHeadInterval: number;

  @Env('HITHE_AUDIT_RETENTION_DAYS', {
    description:
      'Days after which audit events move into signed archives in $HITHE_HOME/control/audit/archive. Absent: they stay in the database.',
    example: '400',
    parse: integer,
    fix: 'Set a whole number of days, 1 or more.',
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  auditRetentionDays?: number;

  @Env('HITHE_AUDIT_STREAMS', {
    description:
      'Where audit events are sent, as NAME=URL separated by blanks. URLs: syslog+udp://, syslog+tcp:// and syslog+tls://HOST:PORT, file:///PATH, https://….',
    example: 'siem=syslog+tls://logs.example.org:6514 copy=file:///var/log/hithe/audit.jsonl',
    default: '',
    parse: list(/\s+/),
    fix: 'Use NAME=URL, separated by blanks; NAME is made of a-z, 0-9 and -.',
  })
  @Matches(/^[a-z][a-z0-9-]{0,31}=(?:syslog\+(?:udp|tcp|tls):\/\/[^\s/]+:\d+|file:\/\/\/\S+|https?:\/\/\S+)$/, {
    each: true,
    message: 'must be NAME=URL',
  })
  auditStreams: string[];

  @Env('HITHE_PRIVATE_TARGETS', {
    description:
      'Private networks that webhooks may reach all the same, separated by blanks. All others are refused: loopback, link-local, private.',
    example: '10.20.0.0/16 fd00:20::/64',
    default: '',
    parse: list(/\s+/),
    fix: 'Use networks in CIDR notation, separated by blanks.',
  })
  @Matches(/^[0-9a-fA-F.:]+\/\d{1,3}$/, { each: true, message: 'must be networks in CIDR notation' })
  privateTargets: string[];

  @Env('HITHE_ALLOW_ROOT', {
    description: 'Lets the control plane run as root. For tests only: in production it drops to a uid of its own.',
    example: '0',
    default: '0',
    parse: boolean,
    fix: 'Set 1 or 0.',
  })
  allowRoot: boolean;

  /** Whether HITHE_DATABASE_URL said where the database is; otherwise the stored URL did. */
  databaseUrlIsGiven: boolean;

  /** Every path of this installation. */
  paths: HithePaths;

  /** The address of the database, or `DATABASE_URL_MISSING`; the agent has none. */
  requireDatabaseUrl(): string {
    if (this.databaseUrl !== '') return this.databaseUrl;
    throw new DomainError(
      'invalid',
      'DATABASE_URL_MISSING',
      `HITHE_DATABASE_URL is not set and ${this.paths.control.databaseUrl} does not exist.`,
      {
        fix: "Set HITHE_DATABASE_URL, or run 'npm start', which starts the embedded database and writes that file.",
      },
    );
  }

  /** Whether this process plays `role`. */
  has(role: Role): boolean {
    return this.roles.includes(role);
  }
}

/**
 * Reads and validates the configuration. Throws `CONFIG_INVALID`, which names every wrong variable and its mend;
 * `overrides` replace values after reading, for tests.
 */
export function loadConfig(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  overrides: Partial<Config> = {},
): Config {
  const config = new Config();
  const values: Record<string, unknown> = {};
  for (const variable of declarationsOf(Config.prototype)) {
    const given = environment[variable.name];
    const text = given === undefined || given === '' ? variable.default : given;
    if (text !== undefined) values[variable.property] = variable.parse ? variable.parse(text) : text;
  }
  Object.assign(config, values, { home: hitheHome(environment), paths: hithePaths(environment) });
  Object.assign(config, overrides);
  // A wrong port is named once, as itself.
  if (!config.publicUrl) config.publicUrl = config.httpPort <= 65_535 ? `http://localhost:${config.httpPort}` : 'http://localhost';
  config.databaseUrlIsGiven = Boolean(config.databaseUrl);
  if (!config.databaseUrl) config.databaseUrl = storedDatabaseUrl(config.paths.control.databaseUrl);
  assertValid(config);
  return config;
}

function storedDatabaseUrl(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
}

function assertValid(config: Config): void {
  const variables = new Map(declarationsOf(Config.prototype).map((variable) => [variable.property, variable]));
  const faults: Fault[] = validateSync(config).map((error) => {
    const variable = variables.get(error.property);
    const reasons = Object.values(error.constraints ?? {}).join('; ');
    return { path: variable?.name ?? error.property, code: 'CONFIG_INVALID', message: reasons, ...(variable ? { fix: variable.fix } : {}) };
  });
  if (faults.length === 0) return;
  const lines = faults.map((fault) => `${fault.path}: ${fault.message}. ${fault.fix ?? ''}`.trim());
  throw new DomainError('invalid', 'CONFIG_INVALID', `The configuration is not valid.\n${lines.join('\n')}`, { faults });
}
