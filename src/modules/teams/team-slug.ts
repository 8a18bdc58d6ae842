import { randomInt } from 'node:crypto';

/** Lower-case letters, digits and single hyphens, from a letter; short, since it is part of paths of sockets. */
export const SLUG_PATTERN = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
export const LONGEST_SLUG = 32;

/** The slug that a name suggests: "Ada's Team" → "ada-s-team". */
export function slugOf(name: string): string {
  const plain = name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '')
    .slice(0, LONGEST_SLUG)
    .replace(/-+$/, '');
  return plain === '' ? 'team' : plain;
}

/** The same slug with a random tail, for when it is taken. */
export function withTail(slug: string): string {
  const tail = randomInt(36 ** 4)
    .toString(36)
    .padStart(4, '0');
  return `${slug.slice(0, LONGEST_SLUG - tail.length - 1).replace(/-+$/, '')}-${tail}`;
}
