import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { sha256 } from '../../common/random-token.js';

/** `pat`: a person's own; `sat`: a service account's. */
export const TOKEN_KINDS = ['pat', 'sat'] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 36 characters of 62 are 214 bits. */
const RANDOM_LENGTH = 36;
/** 62⁶ > 2³². */
const CHECKSUM_LENGTH = 6;
const PATTERN = new RegExp(`^hithe_(pat|sat)_[0-9A-Za-z]{${RANDOM_LENGTH + CHECKSUM_LENGTH}}$`);

/** A new token: `hithe_pat_` ‖ 36 random characters ‖ their CRC-32 in base 62, so that a scanner tells it from any other text. */
export function newToken(kind: TokenKind): string {
  const random = Array.from({ length: RANDOM_LENGTH }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
  const body = `hithe_${kind}_${random}`;
  return body + checksumOf(body);
}

/** Whether a credential means to be an API token, a mistyped one too. */
export function looksLikeToken(credential: string): boolean {
  return /^hithe_(?:pat|sat)_/.test(credential);
}

/** The kind of a token that is whole; undefined for one with a typo, which no database needs to be asked about. */
export function kindOfToken(token: string): TokenKind | undefined {
  const kind = TOKEN_KINDS.find((each) => each === PATTERN.exec(token)?.[1]);
  const body = token.slice(0, -CHECKSUM_LENGTH);
  return kind !== undefined && token.slice(-CHECKSUM_LENGTH) === checksumOf(body) ? kind : undefined;
}

/** What the database keeps of a token. Its 214 random bits need no salt and no slow hash. */
export function hashOfToken(token: string): Buffer {
  return sha256(token);
}

function checksumOf(body: string): string {
  let rest = crc32(body);
  let text = '';
  for (let digit = 0; digit < CHECKSUM_LENGTH; digit += 1) {
    text = ALPHABET.charAt(rest % ALPHABET.length) + text;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return text;
}
