import { DomainError } from '../common/domain-error.js';

/** The strong entity tag of a version number: `"7"`. */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/**
 * Checks an `If-Match` header against the present version (undefined: the thing does not exist yet).
 * No header: anything goes. Throws `VERSION_MISMATCH` (412) when somebody else was faster.
 */
export function assertIfMatch(header: string | undefined, current: number | undefined): void {
  if (header === undefined) return;
  const tags = header.split(',').map((tag) => tag.trim());
  if (current !== undefined && (tags.includes('*') || tags.includes(etagOf(current)))) return;
  throw new DomainError(
    'precondition',
    'VERSION_MISMATCH',
    `You changed version ${header}, but the present one is ${current === undefined ? 'none' : etagOf(current)}.`,
    {
      fix: 'Read it again, apply your change to that, and send its ETag as If-Match.',
    },
  );
}
