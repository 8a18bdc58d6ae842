import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { codeOf } from '../../common/thrown.js';

/** The public half of a P-256 key (RFC 7518, 6.2.1). */
export interface EcPublicKey {
  kty: string;
  crv: string;
  x: string;
  y: string;
}

/** A key pair as it is stored: the private half as PEM, to be sealed, the public half as JWK. */
export interface KeyPair {
  privateKey: string;
  publicKey: EcPublicKey;
}

/** A new P-256 key pair. */
export function newKeyPair(): KeyPair {
  return pairOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
}

/** The key that an earlier version kept in a file; null when there is none. */
export function keyPairInFile(file: string): KeyPair | null {
  try {
    const key = createPrivateKey(readFileSync(file, 'utf8'));
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return pairOf(key);
    throw new TypeError(`${file} does not hold a P-256 key; move it away to have a new one made`);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

function pairOf(key: KeyObject): KeyPair {
  return {
    privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: publicHalfOf(key),
  };
}

function publicHalfOf(key: KeyObject): EcPublicKey {
  const { kty, crv, x, y } = createPublicKey(key).export({ format: 'jwk' });
  if (kty === undefined || crv === undefined || x === undefined || y === undefined) throw new TypeError('This is no elliptic curve key');
  return { kty, crv, x, y };
}
