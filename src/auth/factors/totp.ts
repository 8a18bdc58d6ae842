import { generateSecret, generateURI, verify } from 'otplib';

/** RFC 6238 as every authenticator app knows it: SHA-1, six digits, 30 seconds. */
const ISSUER = 'Hithe';
const PERIOD_SECONDS = 30;
const SECRET_BYTES = 20;
const CODE = /^\d{6}$/;

/** A new shared secret in base32, and the address that an authenticator app reads from a QR code. */
export function newTotpSecret(email: string): { secret: string; uri: string } {
  const secret = generateSecret({ length: SECRET_BYTES });
  return { secret, uri: generateURI({ issuer: ISSUER, label: email, secret }) };
}

/**
 * The time step that `code` belongs to, or undefined when it belongs to none of the present one and its two neighbours
 * (a clock may be wrong by half a minute). Whether that step was used before is for the caller to know.
 */
export async function totpStep(secret: string, code: string, now: Date): Promise<number | undefined> {
  const token = code.replaceAll(/\s/g, '');
  if (!CODE.test(token)) return undefined;
  const result = await verify({ secret, token, epoch: Math.floor(now.getTime() / 1000), epochTolerance: PERIOD_SECONDS });
  return result.valid && 'timeStep' in result ? result.timeStep : undefined;
}
