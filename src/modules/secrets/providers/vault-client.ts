import { readFile } from 'node:fs/promises';
import { DomainError } from '../../../common/domain-error.js';
import { messageOf } from '../../../common/thrown.js';

/** How the operator lets the control plane into the vault. */
export interface VaultSettings {
  /** Address without a path. */
  address: string;
  namespace?: string | undefined;
  /** File with a token; or the role id and the file of the secret id of an AppRole. */
  tokenFile?: string | undefined;
  roleId?: string | undefined;
  secretIdFile?: string | undefined;
}

/** One version of an entry of a KV engine, version 2. */
export interface VaultEntry {
  data: Record<string, unknown>;
  version: number;
}

interface Answer {
  status: number;
  body: { auth?: { client_token?: string; lease_duration?: number }; data?: unknown; errors?: string[] };
}

interface Session {
  token: string;
  until: number;
}

const TIMEOUT_MS = 10_000;
/** A token is renewed by a new log-in before it ends. */
const SAFE_PART_OF_LEASE = 0.8;

/**
 * The two requests of the HTTP API of HashiCorp Vault and OpenBao that Hithe makes: reading an entry of a KV engine (version 2) and the
 * log-in of an AppRole. Follows no redirect; keeps its token in memory only.
 */
export class VaultClient {
  private session: Promise<Session> | undefined;

  constructor(private readonly settings: VaultSettings) {}

  /** The entry, or null where there is none or that version was deleted. Throws `SECRET_PROVIDER_UNAVAILABLE` or `SECRET_PROVIDER_REFUSED`. */
  async read(mount: string, path: string, version?: number): Promise<VaultEntry | null> {
    const query = version === undefined ? '' : `?version=${version}`;
    const at = `/v1/${mount}/data/${path.split('/').map(encodeURIComponent).join('/')}${query}`;
    let answer = await this.request('GET', at, { token: await this.token() });
    if (answer.status === 403) {
      // The token may have been revoked or replaced since.
      this.session = undefined;
      answer = await this.request('GET', at, { token: await this.token() });
    }
    if (answer.status === 404) return null;
    if (answer.status !== 200) throw refused(answer, `reading ${mount}/${path}`);
    const { data, metadata } = (answer.body.data ?? {}) as { data?: Record<string, unknown> | null; metadata?: { version?: number } };
    if (typeof data !== 'object' || typeof metadata?.version !== 'number') throw notKv2(mount);
    return data === null ? null : { data, version: metadata.version };
  }

  private async token(): Promise<string> {
    const { tokenFile } = this.settings;
    if (tokenFile !== undefined) return readSecretFile(tokenFile);
    const before = this.session;
    const known = await before;
    if (known !== undefined && performance.now() < known.until) return known.token;
    // Whoever comes meanwhile waits for the same log-in.
    const session = this.session === before || this.session === undefined ? this.logIn() : this.session;
    this.session = session;
    session.catch(() => (this.session = undefined));
    return (await session).token;
  }

  private async logIn(): Promise<Session> {
    const { roleId, secretIdFile } = this.settings;
    if (roleId === undefined || secretIdFile === undefined) throw new TypeError('the vault has no credential');
    const body = { role_id: roleId, secret_id: await readSecretFile(secretIdFile) };
    const answer = await this.request('POST', '/v1/auth/approle/login', { body });
    const { client_token: token, lease_duration: lease } = answer.body.auth ?? {};
    if (answer.status !== 200 || token === undefined) throw refused(answer, 'the log-in');
    const seconds = lease === undefined || lease === 0 ? Infinity : lease;
    return { token, until: performance.now() + seconds * 1_000 * SAFE_PART_OF_LEASE };
  }

  private async request(method: string, path: string, options: { token?: string; body?: object }): Promise<Answer> {
    const { address, namespace } = this.settings;
    try {
      const response = await fetch(new URL(path, address), {
        method,
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: {
          'x-vault-request': 'true',
          ...(options.token === undefined ? {} : { 'x-vault-token': options.token }),
          ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
          ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      });
      const text = await response.text();
      return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Answer['body'] };
    } catch (error) {
      throw unavailable(`does not answer: ${reasonOf(error)}`, error);
    }
  }
}

async function readSecretFile(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw unavailable(`cannot be asked: ${file} cannot be read`, error);
  }
}

function refused(answer: Answer, what: string): DomainError {
  if (answer.status >= 500) return unavailable(`answered ${answer.status} to ${what}: it may be sealed or in standby`);
  return new DomainError('unavailable', 'SECRET_PROVIDER_REFUSED', `The vault refused ${what} (${answer.status}).`, {
    fix: 'Ask the operator whether the policy of the platform in the vault covers this path, and whether its credential is still valid.',
  });
}

function unavailable(how: string, cause?: unknown): DomainError {
  return new DomainError('unavailable', 'SECRET_PROVIDER_UNAVAILABLE', `The vault ${how}. What runs is not touched.`, {
    fix: 'Deploy again when the vault answers; the operator finds its address in HITHE_VAULT_ADDR.',
    ...(cause === undefined ? {} : { cause }),
  });
}

function notKv2(mount: string): DomainError {
  return new DomainError('invalid', 'SECRET_REFERENCE_UNKNOWN', `"${mount}" is not a KV engine of version 2.`, {
    fix: 'Enable one: vault secrets enable -path=kv -version=2 kv.',
  });
}

/** The parser's and the network's own words never quote what was sent. */
function reasonOf(error: unknown): string {
  if (error instanceof SyntaxError) return 'its answer is not JSON';
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return messageOf(cause);
}
