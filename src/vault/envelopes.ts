import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DomainError } from '../common/domain-error.js';
import { KeyWrapper } from './key-wrapper.js';
import { KEY_BYTES, open, seal, SEALED_KEY_BYTES } from './seal.js';

const FORMAT = 2;
/** Without a key id, and with the place in the wrapped key's associated data too. Read, never written. */
const FIRST_FORMAT = 1;
const KEY_ID_BYTES = 16;
const HEAD_BYTES = 1 + KEY_ID_BYTES + 2;

/** The parts of an envelope that rotation looks at. */
interface Parts {
  keyId: Buffer;
  wrapped: Buffer;
  sealed: Buffer;
}

/** Joins the parts of a place unambiguously: `placeOf('totp', userId)`. */
export function placeOf(...parts: readonly (string | number)[]): string {
  return JSON.stringify(parts);
}

/**
 * Seals texts for the database: AES-256-GCM under a data key each, which the platform key wraps. `place` says where the text belongs
 * (`placeOf('totp', userId)`): it opens nowhere else, so that two rows cannot be swapped. Layout: format ‖ key id ‖ length of the
 * wrapped key ‖ wrapped key ‖ sealed text. Declare the column with `defineSealedColumn`, so that it survives a rotation.
 */
@Injectable()
export class Envelopes {
  constructor(private readonly keys: KeyWrapper) {}

  async encrypt(place: string, text: string): Promise<Buffer> {
    const dataKey = randomBytes(KEY_BYTES);
    const { keyId, wrapped } = await this.keys.wrap(dataKey);
    return join({ keyId, wrapped, sealed: seal(dataKey, place, Buffer.from(text, 'utf8')) });
  }

  /**
   * The text behind `encrypt`; `SECRET_UNREADABLE` when the key, the place or a byte is another one. `formerPlace`: what bound an
   * envelope of the first format.
   */
  async decrypt(place: string, envelope: Buffer, formerPlace?: string): Promise<string> {
    try {
      return (await this.open(place, envelope, formerPlace)).toString('utf8');
    } catch (error) {
      throw new DomainError(
        'internal',
        'SECRET_UNREADABLE',
        'A stored secret cannot be decrypted: the platform key is another one, or the row was changed.',
        { cause: error },
      );
    }
  }

  /** The same text in an envelope under the active key: its data key wrapped anew, what it seals untouched. */
  async rewrap(envelope: Buffer): Promise<Buffer> {
    const parts = split(envelope);
    return join({ ...(await this.keys.wrap(await this.keys.unwrap(parts))), sealed: parts.sealed });
  }

  private async open(place: string, envelope: Buffer, formerPlace: string | undefined): Promise<Buffer> {
    if (envelope[0] === FIRST_FORMAT && formerPlace !== undefined) {
      const dataKey = await this.keys.unwrapUnnamed(envelope.subarray(1, 1 + SEALED_KEY_BYTES), formerPlace);
      return open(dataKey, formerPlace, envelope.subarray(1 + SEALED_KEY_BYTES));
    }
    const parts = split(envelope);
    return open(await this.keys.unwrap(parts), place, parts.sealed);
  }
}

function join({ keyId, wrapped, sealed }: Parts): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(wrapped.length);
  return Buffer.concat([Buffer.of(FORMAT), keyId, length, wrapped, sealed]);
}

function split(envelope: Buffer): Parts {
  if (envelope[0] !== FORMAT || envelope.length < HEAD_BYTES) throw new Error(`unknown format ${envelope[0] ?? 'of nothing'}`);
  const end = HEAD_BYTES + envelope.readUInt16BE(1 + KEY_ID_BYTES);
  return {
    keyId: envelope.subarray(1, 1 + KEY_ID_BYTES),
    wrapped: envelope.subarray(HEAD_BYTES, end),
    sealed: envelope.subarray(end),
  };
}
