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

/** What the methods of `amr` (RFC 8176) show: something known, held, or of the body. Two different ones are two factors, and `mfa` says so itself. */
const FACTORS: Readonly<Record<string, 'known' | 'held' | 'body'>> = {
  pwd: 'known',
  pin: 'known',
  kba: 'known',
  hwk: 'held',
  swk: 'held',
  otp: 'held',
  sc: 'held',
  sms: 'held',
  tel: 'held',
  face: 'body',
  fpt: 'body',
  iris: 'body',
  retina: 'body',
  vbm: 'body',
};
const MOST_GROUPS = 1_000;

/** Reads the claims of an ID token and of the user info; the ID token, which is signed, wins. Nothing is taken for granted of their types. */
export function claimsOf(
  idToken: Readonly<Record<string, unknown>>,
  userInfo: Readonly<Record<string, unknown>>,
  groupsClaim: string,
): OidcClaims {
  const { iss, sub } = idToken;
  if (typeof iss !== 'string' || typeof sub !== 'string' || sub === '') throw new TypeError('The ID token names no issuer or no subject');
  // Address and verification belong together: both from where the address is.
  const { email, email_verified: verified } =
    idToken['email'] === undefined || idToken['email'] === userInfo['email'] ? { ...userInfo, ...idToken } : idToken;
  return {
    issuer: iss,
    subject: sub,
    email: typeof email === 'string' && email.includes('@') ? email.trim().toLowerCase() : null,
    // Some providers write booleans as text.
    emailVerified: verified === true || verified === 'true',
    groups: textsOf(idToken[groupsClaim] ?? userInfo[groupsClaim]).slice(0, MOST_GROUPS),
    multiFactor: isMultiFactor(textsOf(idToken['amr'])),
  };
}

function isMultiFactor(methods: readonly string[]): boolean {
  const factors = methods
    .map((method) => (Object.hasOwn(FACTORS, method) ? FACTORS[method] : undefined))
    .filter((factor) => factor !== undefined);
  return methods.includes('mfa') || new Set(factors).size > 1;
}

/** One text is a list of one. */
function textsOf(value: unknown): string[] {
  const values: unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((each) => typeof each === 'string');
}
