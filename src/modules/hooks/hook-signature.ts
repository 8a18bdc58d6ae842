import { randomBytes } from 'node:crypto';
import { Webhook, WebhookVerificationError } from 'standardwebhooks';

const SECRET_BYTES = 32;
/** An id is part of a key in the database, and shown in lists. */
const WEBHOOK_ID = /^[\x21-\x7e]{1,200}$/;
const TIMESTAMP = /^\d{1,12}$/;

/** The three headers of the Standard Webhooks specification. */
export interface SignedHeaders {
  id: string;
  timestamp: string;
  signature: string;
}

/** A new secret: `whsec_` and 256 random bits in base64. */
export function newHookSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
}

/** The headers of a delivery; undefined when one is missing or not of its form. */
export function signedHeadersOf(headers: Readonly<Record<string, string | string[] | undefined>>): SignedHeaders | undefined {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = headers;
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signature !== 'string') return undefined;
  return WEBHOOK_ID.test(id) && TIMESTAMP.test(timestamp) ? { id, timestamp, signature } : undefined;
}

/** Whether a signature of this secret is on the body, made within five minutes of now. */
export function isSigned(secret: string, headers: SignedHeaders, body: Buffer): boolean {
  try {
    new Webhook(secret).verify(
      body,
      { 'webhook-id': headers.id, 'webhook-timestamp': headers.timestamp, 'webhook-signature': headers.signature },
      { jsonParse: false },
    );
    return true;
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false;
    throw error;
  }
}
