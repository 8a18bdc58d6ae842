/** A data key as it is stored: which platform key wraps it, and the wrapped bytes. */
export interface WrappedKey {
  /** 16 bytes. */
  keyId: Buffer;
  wrapped: Buffer;
}

/**
 * Wraps data keys under the platform key. The built-in one keeps a keyring in a file; a KMS or an HSM stands in by providing this
 * class.
 */
export abstract class KeyWrapper {
  /** Id of the key that `wrap` uses now. */
  abstract activeKeyId(): Promise<Buffer>;
  abstract wrap(dataKey: Buffer): Promise<WrappedKey>;
  /** The data key; throws when that platform key is not there, or a byte was changed. */
  abstract unwrap(wrapped: WrappedKey): Promise<Buffer>;
  /** The data key of an envelope of before key ids: whichever key opens it. `aad` is the one of that format. */
  abstract unwrapUnnamed(wrapped: Buffer, aad: string): Promise<Buffer>;
}
