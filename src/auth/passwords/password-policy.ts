import { randomInt } from 'node:crypto';
import type { Fault } from '../../common/domain-error.js';

export const SHORTEST_PASSWORD = 12;
export const LONGEST_PASSWORD = 256;

/** The words that most common passwords are made of; a password that is little more than one of them is refused. */
const COMMON_WORDS = [
  'password',
  'passw0rd',
  'passwort',
  'p@ssword',
  'p@ssw0rd',
  'qwertyuiop',
  'qwerty',
  'qwertz',
  'azerty',
  'asdfghjkl',
  'zxcvbnm',
  '1q2w3e4r5t6y',
  '1q2w3e4r',
  '1qaz2wsx3edc',
  '1qaz2wsx',
  'iloveyou',
  'letmein',
  'welcome',
  'administrator',
  'admin',
  'changeme',
  'default',
  'dragon',
  'monkey',
  'football',
  'baseball',
  'basketball',
  'sunshine',
  'princess',
  'superman',
  'batman',
  'trustno1',
  'starwars',
  'pokemon',
  'whatever',
  'secret',
  'master',
  'shadow',
  'michael',
  'jennifer',
  'computer',
  'internet',
  'samsung',
  'liverpool',
  'chelsea',
  'hithe',
  '123456789012',
  '1234567890',
  '123456789',
  '12345678',
  '123456',
  '987654321',
  'abcdefghijkl',
  'abcdefgh',
  'abc123',
];
const FEWEST_OWN_CHARACTERS = 6;

/** Why `password` is not good enough for the account `email`; undefined when it is. */
export function passwordFault(password: string, email: string): Fault | undefined {
  const fix = 'Use a passphrase of several unrelated words, or leave it to Hithe to generate one.';
  if (password.length < SHORTEST_PASSWORD)
    return { path: 'password', code: 'PASSWORD_TOO_SHORT', message: `A password has at least ${SHORTEST_PASSWORD} characters.`, fix };
  if (password.length > LONGEST_PASSWORD)
    return { path: 'password', code: 'PASSWORD_TOO_LONG', message: `A password has at most ${LONGEST_PASSWORD} characters.`, fix };
  if (isCommon(password.toLowerCase(), email.toLowerCase()))
    return { path: 'password', code: 'PASSWORD_COMMON', message: 'This password is too easy to guess.', fix };
  return undefined;
}

function isCommon(password: string, email: string): boolean {
  const words = [email, email.split('@', 1)[0] ?? '', ...COMMON_WORDS].filter((word) => word.length >= 4);
  let rest = password;
  for (const word of words.sort((a, b) => b.length - a.length)) rest = rest.replaceAll(word, '');
  const found = rest !== password;
  return new Set(password).size < 5 || (found && new Set(rest.replaceAll(/[^\p{L}\p{N}]/gu, '')).size < FEWEST_OWN_CHARACTERS);
}

const ALPHABET = 'abcdefghijkmnpqrstuvwxyzACDEFGHJKLMNPQRTUVWXY34679';
const GROUPS = 4;
const GROUP_LENGTH = 5;

/** A random password of 112 bits in four groups, without characters that look alike. */
export function generatePassword(): string {
  const group = (): string => Array.from({ length: GROUP_LENGTH }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
  return Array.from({ length: GROUPS }, group).join('-');
}
