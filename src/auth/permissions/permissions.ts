import { createHash } from 'node:crypto';
import { type PackRule, packRules } from '@casl/ability/extra';
import type { RawRuleOf } from '@casl/ability';
import type { AppAbility } from '../ability.js';
import type { Actor } from '../actor.js';

/** What an actor may do, for a client: CASL's packed rules, and a version that changes with them. */
export interface Permissions {
  version: string;
  rules: PackRule<RawRuleOf<AppAbility>>[];
}

const VERSION_LENGTH = 22;

/** The permissions of an actor at this moment; the same rules always have the same version. */
export function permissionsOf(actor: Pick<Actor, 'ability'>): Permissions {
  const rules = packRules<RawRuleOf<AppAbility>>(actor.ability.rules);
  const version = createHash('sha256').update(JSON.stringify(rules)).digest('base64url').slice(0, VERSION_LENGTH);
  return { version, rules };
}
