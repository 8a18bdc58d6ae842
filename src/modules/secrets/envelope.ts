import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { DomainError } from '../../common/domain-error.js';

const FORMAT = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const SEALED_KEY_BYTES = IV_BYTES + KEY_BYTES + TAG_BYTES;

/**
 * Encrypts with AES-256-GCM under a data key of its own, which the platform key wraps. `aad` binds the result to its
 * place: format ‖ wrapped data key ‖ sealed text, each sealed part being IV ‖ ciphertext ‖ tag.
 */
export function encrypt(platformKey: Buffer, aad: string, text: string): Buffer {
  const dataKey = randomBytes(KEY_BYTES);
  return Buffer.concat([Buffer.of(FORMAT), seal(platformKey, aad, dataKey), seal(dataKey, aad, Buffer.from(text, 'utf8'))]);
}

/** The text behind `encrypt`; `SECRET_UNREADABLE` when the key, the place or a byte is another one. */
export function decrypt(platformKey: Buffer, aad: string, envelope: Buffer): string {
  try {
    if (envelope[0] !== FORMAT) throw new Error('unknown format');
    const dataKey = open(platformKey, aad, envelope.subarray(1, 1 + SEALED_KEY_BYTES));
    return open(dataKey, aad, envelope.subarray(1 + SEALED_KEY_BYTES)).toString('utf8');
  } catch (error) {
    throw new DomainError(
      'internal',
      'SECRET_UNREADABLE',
      'A stored secret cannot be decrypted: the platform key is another one, or the row was changed.',
      { cause: error },
    );
  }
}

function seal(key: Buffer, aad: string, plain: Buffer): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(aad));
  return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function open(key: Buffer, aad: string, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, IV_BYTES)).setAAD(Buffer.from(aad));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, sealed.length - TAG_BYTES)), decipher.final()]);
}
