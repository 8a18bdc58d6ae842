import { randomInt } from 'node:crypto';
import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common';
import type { Fault } from '../../common/domain-error.js';

export const SHORTEST_PASSWORD = 12;
export const LONGEST_PASSWORD = 256;

/** Words that an attacker tries first here. */
const CONTEXT_WORDS = ['hithe', 'hithe.local', 'admin', 'administrator', 'platform'];
/** What comes after does not make a password weaker; estimating has a cost that grows with the square of the length. */
const LOOKED_AT = 64;
/** Of zxcvbn's 0 to 4: 3 takes more than 10^8 guesses. The lists know some 50,000 common passwords and words, and what people do to them. */
const LEAST_SCORE = 3;

const FIX = 'Use a passphrase of several unrelated words, or leave it to Hithe to generate one.';

let estimator: ZxcvbnFactory | undefined;

/**
 * Why `password` is not good enough for the account `email`; undefined when it is. Only length and how soon a guesser with lists
 * of common passwords finds it count (ASVS 5, 6.2): no rule asks for kinds of characters.
 */
export function passwordFault(password: string, email: string, path = 'password'): Fault | undefined {
  const length = Array.from(password).length;
  if (length < SHORTEST_PASSWORD)
    return { path, code: 'PASSWORD_TOO_SHORT', message: `A password has at least ${SHORTEST_PASSWORD} characters.`, fix: FIX };
  if (password.length > LONGEST_PASSWORD)
    return { path, code: 'PASSWORD_TOO_LONG', message: `A password has at most ${LONGEST_PASSWORD} characters.`, fix: FIX };
  if (isCommon(password, email)) return { path, code: 'PASSWORD_COMMON', message: 'This password is too easy to guess.', fix: FIX };
  return undefined;
}

function isCommon(password: string, email: string): boolean {
  // Loading the lists takes some 30 ms: not at the start of every process.
  estimator ??= new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs, maxLength: LOOKED_AT });
  const own = [email, ...email.split(/[@.+_-]/)].filter((word) => word.length >= 3);
  return estimator.check(password.slice(0, LOOKED_AT), [...own, ...CONTEXT_WORDS]).score < LEAST_SCORE;
}

const ALPHABET = 'abcdefghijkmnpqrstuvwxyzACDEFGHJKLMNPQRTUVWXY34679';
const GROUPS = 4;
const GROUP_LENGTH = 5;

/** A random password of 112 bits in four groups, without characters that look alike. */
export function generatePassword(): string {
  const group = (): string => Array.from({ length: GROUP_LENGTH }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
  return Array.from({ length: GROUPS }, group).join('-');
}
