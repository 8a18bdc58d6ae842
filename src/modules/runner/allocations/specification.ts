import { createHash } from 'node:crypto';
import type { DesiredAllocation } from '../../../link/messages.js';

/** Digest of values, independent of the order of keys. */
export function digestOf(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(canonical(value)))
    .digest('hex');
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, canonical(inner)]),
  );
}

/** The part of a specification that is prepared: a change of it needs another preparation. */
export function preparationKey({ port, version, vars, source, listen, env, tenant, project, component }: DesiredAllocation): string {
  return digestOf({ port, version, vars, source: source ?? null, listen, env, tenant, project, component });
}

/**
 * The part of a specification that a process is started with: a change of it needs another process. Which allocation meets a need is no
 * part of it: whoever replaces that one asks for a restart when it exports something else.
 */
export function startKey(desired: DesiredAllocation): string {
  const { secretEnv, needs } = desired;
  // Left out when there are none: a process that an older agent started is still the one that is wanted.
  const secrets = Object.keys(secretEnv).length === 0 ? {} : { secrets: secretEnv };
  return digestOf({ prepared: preparationKey(desired), needs: Object.keys(needs).sort(), ...secrets });
}
