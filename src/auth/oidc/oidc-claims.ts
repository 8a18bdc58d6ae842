/** What the provider says of somebody, as far as Hithe cares. */
export interface OidcClaims {
  issuer: string;
  subject: string;
  email: string | null;
  emailVerified: boolean;
  groups: string[];
  /** Whether the provider says that it asked for a second factor. */
  multiFactor: boolean;
}

/** Values of `amr` (RFC 8176) that stand for more than a password: several factors, or a key that its owner unlocks. */
const STRONG_METHODS = new Set(['mfa', 'hwk', 'swk', 'otp', 'sc']);
const MOST_GROUPS = 1_000;

/** Reads the claims of an ID token and of the user info; the ID token, which is signed, wins. Nothing is taken for granted of their types. */
export function claimsOf(
  idToken: Readonly<Record<string, unknown>>,
  userInfo: Readonly<Record<string, unknown>>,
  groupsClaim: string,
): OidcClaims {
  const claims = { ...userInfo, ...idToken };
  const { iss, sub, email, email_verified: verified, amr } = claims;
  if (typeof iss !== 'string' || typeof sub !== 'string' || sub === '') throw new TypeError('The ID token names no issuer or no subject');
  return {
    issuer: iss,
    subject: sub,
    email: typeof email === 'string' && email.includes('@') ? email.trim().toLowerCase() : null,
    // Some providers write booleans as text.
    emailVerified: verified === true || verified === 'true',
    groups: textsOf(claims[groupsClaim]).slice(0, MOST_GROUPS),
    multiFactor: textsOf(amr).some((method) => STRONG_METHODS.has(method)),
  };
}

/** One text is a list of one. */
function textsOf(value: unknown): string[] {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((each) => typeof each === 'string');
}
