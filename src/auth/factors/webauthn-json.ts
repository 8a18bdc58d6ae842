import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import { z } from 'zod';
import { invalidRequest } from '../../http/validation.js';

const TRANSPORTS = ['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'] as const;
const base64url = z
  .string()
  .max(16_384)
  .regex(/^[\w-]+$/);

const credential = { id: base64url, rawId: base64url, type: z.literal('public-key') };
const registration = z.object({
  ...credential,
  response: z.object({ clientDataJSON: base64url, attestationObject: base64url, transports: z.array(z.string()).optional() }),
});
const assertion = z.object({
  ...credential,
  response: z.object({
    clientDataJSON: base64url,
    authenticatorData: base64url,
    signature: base64url,
    userHandle: base64url.nullish(),
  }),
});

/** What `navigator.credentials.create` gave, of its `toJSON()`; browsers may add to it. Throws `REQUEST_INVALID` with the wrong field. */
export function registrationOf(value: unknown, path: string): RegistrationResponseJSON {
  const { response, ...rest } = parsed(registration, value, path);
  const { clientDataJSON, attestationObject } = response;
  const transports = TRANSPORTS.filter((transport) => response.transports?.includes(transport));
  return { ...rest, response: { clientDataJSON, attestationObject, transports }, clientExtensionResults: {} };
}

/** What `navigator.credentials.get` gave, of its `toJSON()`. Throws `REQUEST_INVALID` with the wrong field. */
export function assertionOf(value: unknown, path: string): AuthenticationResponseJSON {
  const { response, ...rest } = parsed(assertion, value, path);
  const { clientDataJSON, authenticatorData, signature, userHandle } = response;
  const handle = typeof userHandle === 'string' ? { userHandle } : {};
  return { ...rest, response: { clientDataJSON, authenticatorData, signature, ...handle }, clientExtensionResults: {} };
}

/** The challenge that the device has signed, as it says itself; undefined for what is no client data. */
export function challengeOf(clientDataJSON: string): string | undefined {
  try {
    const data: unknown = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString('utf8'));
    return z.object({ challenge: z.string() }).parse(data).challenge;
  } catch {
    return undefined;
  }
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, path: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalidRequest(
    result.error.issues.map((issue) => ({
      path: [path, ...issue.path.map(String)].join('.'),
      code: 'PASSKEY_RESPONSE_INVALID',
      message: issue.message,
      fix: "Send the result of the browser's toJSON() as it is.",
    })),
  );
}
