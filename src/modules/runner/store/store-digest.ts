import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/** Raised when the shape of what is stored changes, so that older entries are never mistaken for new ones. */
export const STORE_FORMAT = 1;

/** JSON with sorted keys: equal values give equal text, however they were written. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** `sha256-<hex>` of a value's canonical JSON. */
export function digestOf(value: unknown): string {
  return `sha256-${createHash('sha256').update(canonicalJson(value)).digest('hex')}`;
}

/** The part of a digest that names directories: its first 16 hexadecimal digits. */
export function shortDigest(digest: string): string {
  return digest.slice('sha256-'.length, 'sha256-'.length + 16);
}

/** A checksum that a download must have. */
export interface Checksum {
  algorithm: 'sha256' | 'sha384' | 'sha512';
  hex: string;
}

const HEX_LENGTH = { sha256: 64, sha384: 96, sha512: 128 } as const;

/** Reads `sha256-…`, `sha384-…` or `sha512-…` with base64 (subresource integrity) or hexadecimal; the first of several. */
export function parseChecksum(text: string): Checksum | undefined {
  const match = /^(sha256|sha384|sha512)-(\S+)/.exec(text.trim());
  if (match === null) return undefined;
  const algorithm = match[1] as Checksum['algorithm'];
  const value = match[2] ?? '';
  if (value.length === HEX_LENGTH[algorithm] && /^[0-9a-f]+$/i.test(value)) return { algorithm, hex: value.toLowerCase() };
  const hex = Buffer.from(value.split('?')[0] ?? '', 'base64').toString('hex');
  return hex.length === HEX_LENGTH[algorithm] ? { algorithm, hex } : undefined;
}

/** The checksum of a file's content, in hexadecimal. */
export async function fileChecksum(path: string, algorithm: Checksum['algorithm']): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
