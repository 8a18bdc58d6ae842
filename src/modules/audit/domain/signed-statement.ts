import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';

/** Where the chain stood at a moment, signed by the installation: whoever has it can tell a chain that was cut or rewritten. */
export interface SignedHead {
  installation: string;
  seq: number;
  /** Hash of event `seq`, hexadecimal. */
  hash: string;
  at: string;
  keyId: string;
  /** Ed25519, base64. */
  signature: string;
}

/** What stands beside an archive: which events it holds, and how they hang together with the others. */
export interface SegmentManifest {
  installation: string;
  /** Name of the archive, in the same directory. */
  file: string;
  firstSeq: number;
  lastSeq: number;
  /** Hash before the first event, and of the last one. */
  previousHash: string;
  lastHash: string;
  /** SHA-256 of the archive's bytes, hexadecimal. */
  fileSha256: string;
  at: string;
  keyId: string;
  signature: string;
}

type Unsigned<T> = Omit<T, 'keyId' | 'signature'>;

/** Short name of a public key: the first 16 hexadecimal digits of the SHA-256 of its DER form. */
export function keyIdOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16);
}

/** The bytes that are signed: lines of text, so that anybody can put them together again. */
export function textOfHead(head: Unsigned<SignedHead>): string {
  return lines('hithe-audit-head-1', head.installation, head.seq, head.hash, head.at);
}

/** The same for a segment. */
export function textOfSegment(segment: Unsigned<SegmentManifest>): string {
  const { installation, file, firstSeq, lastSeq, previousHash, lastHash, fileSha256, at } = segment;
  return lines('hithe-audit-segment-1', installation, file, firstSeq, lastSeq, previousHash, lastHash, fileSha256, at);
}

/** Ed25519 over `text`, in base64. */
export function signatureOf(text: string, privateKey: KeyObject): string {
  return sign(null, Buffer.from(text), privateKey).toString('base64');
}

/** Public keys by their id, out of PEM texts one after the other. */
export function publicKeysOf(pem: string): Map<string, KeyObject> {
  const blocks = pem.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? [];
  return new Map(blocks.map((block) => createPublicKey(block)).map((key) => [keyIdOf(key), key]));
}

/** Whether one of these keys made this signature over `text`. */
export function isSignedBy(keys: ReadonlyMap<string, KeyObject>, signed: Pick<SignedHead, 'keyId' | 'signature'>, text: string): boolean {
  const key = keys.get(signed.keyId);
  return key !== undefined && verify(null, Buffer.from(text), key, Buffer.from(signed.signature, 'base64'));
}

function lines(...values: (string | number)[]): string {
  return values.map((value) => `${value}\n`).join('');
}
