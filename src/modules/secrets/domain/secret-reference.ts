import { DomainError } from '../../../common/domain-error.js';

/** The keepers of secrets that a reference can name: Hithe itself, and HashiCorp Vault or OpenBao. */
export const PROVIDERS = ['hithe', 'vault'] as const;

/** The address of a secret with one of the keepers. */
export interface SecretReference {
  provider: (typeof PROVIDERS)[number];
  /** `vault`: mount and path, without the API's `data/`: `kv/hithe/acme/shop`. `hithe`: always `project`. */
  path: string;
  key: string;
  /** A fixed version; the newest at the time of the deploy when absent. */
  version?: number;
}

const SYNTAX = /^(?<provider>hithe|vault):(?<path>[^#@\s]+)#(?<key>[^#@\s]+)(?:@(?<version>[1-9][0-9]{0,8}))?$/;
const SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;
const KEY = /^[A-Za-z0-9_.-]{1,256}$/;

/** Reads `vault:kv/hithe/acme/shop#api_key`, `…@3` and `hithe:project#API_KEY`; throws `SECRET_REFERENCE_INVALID`. */
export function parseReference(text: string): SecretReference {
  const { provider, path, key, version } = SYNTAX.exec(text)?.groups ?? {};
  const isOwn = provider === 'hithe';
  const isWell = isOwn ? path === 'project' && version === undefined : path?.split('/').every((segment) => SEGMENT.test(segment));
  if (path === undefined || key === undefined || !KEY.test(key) || isWell !== true) {
    throw new DomainError('invalid', 'SECRET_REFERENCE_INVALID', 'This is not the address of a secret.', {
      fix: 'Write it as vault:MOUNT/PATH#KEY, e.g. vault:kv/hithe/acme/shop#api_key, with @3 behind it for a fixed version; or as hithe:project#NAME for a variable of the project.',
    });
  }
  return { provider: isOwn ? 'hithe' : 'vault', path, key, ...(version === undefined ? {} : { version: Number(version) }) };
}

/** Whether `reference` lies below the directory that the operator's template gives to a team: `kv/hithe/{team}`. */
export function isWithin(reference: SecretReference, template: string, team: { slug: string; teamId: string }): boolean {
  return reference.path.startsWith(`${directoryOf(template, team)}/`);
}

/** The directory of a team. */
export function directoryOf(template: string, team: { slug: string; teamId: string }): string {
  return template.replaceAll('{team}', team.slug).replaceAll('{teamId}', team.teamId);
}
