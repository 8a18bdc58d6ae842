import { DomainError } from '../../common/domain-error.js';

/**
 * The address of a page of the dashboard that ends something. The token stands behind the #, which no browser sends
 * to any server: it is in no log, no referrer and no proxy.
 */
export function linkOf(publicUrl: string, page: 'invitation' | 'password-reset' | 'sign-up', token: string): string {
  return `${publicUrl}/${page}#${token}`;
}

/** The one answer to a token that is unknown, used up or expired. */
export function linkInvalid(): DomainError {
  return new DomainError('not-found', 'LINK_INVALID', 'This link is unknown, was used before, or has expired.', {
    fix: 'Ask for a new one.',
  });
}
