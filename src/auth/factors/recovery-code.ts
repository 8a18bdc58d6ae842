import { randomInt } from 'node:crypto';
import { sha256 } from '../../common/random-token.js';

export const RECOVERY_CODES = 10;
/** Without characters that look or sound alike: 30 of them, so that 16 make 78 bits, too many to guess from a hash. */
const ALPHABET = 'abcdefghjkmnpqrstvwxyz23456789';
const GROUPS = 4;
const GROUP_LENGTH = 4;

/** Ten new recovery codes such as `k3vp-x7md-92hq-acwt`. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: RECOVERY_CODES }, newCode);
}

function newCode(): string {
  const group = (): string => Array.from({ length: GROUP_LENGTH }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
  return Array.from({ length: GROUPS }, group).join('-');
}

/** What the database keeps of a recovery code, however it is typed: upper case, with blanks, without hyphens. */
export function recoveryCodeHash(code: string): Buffer {
  return sha256(code.toLowerCase().replaceAll(/[^a-z0-9]/g, ''));
}
