import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Bytes of a key of AES-256. */
export const KEY_BYTES = 32;
/** Bytes of a sealed key. */
export const SEALED_KEY_BYTES = IV_BYTES + KEY_BYTES + TAG_BYTES;

/** AES-256-GCM with a random IV: IV ‖ ciphertext ‖ tag. Every key of ours seals one text, or far fewer than 2³² data keys. */
export function seal(key: Buffer, aad: string, plain: Buffer): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(aad));
  return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** What `seal` sealed; throws when the key, `aad` or a byte is another one. */
export function open(key: Buffer, aad: string, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES }).setAAD(
    Buffer.from(aad),
  );
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, sealed.length - TAG_BYTES)), decipher.final()]);
}
