import { Column, Entity } from 'typeorm';
import { BaseEntity } from '../../database/base.entity.js';
import { defineSealedColumn } from '../../vault/sealed-columns.js';
import type { EcPublicKey } from './key-pair.js';

/** An ES256 key of this installation. Its id is the `kid` of the tokens that it signed. */
@Entity('signing_keys')
export class SigningKey extends BaseEntity {
  /** PKCS #8 PEM in an envelope under the platform key. */
  @Column('bytea')
  privateKey: Buffer;

  @Column('jsonb')
  publicKey: EcPublicKey;

  /** Null for the one key that signs. */
  @Column({ type: 'timestamptz', nullable: true })
  replacedAt: Date | null;

  /** Set when it was replaced: by then, the last token that it signed has expired. */
  @Column({ type: 'timestamptz', nullable: true })
  verifiesUntil: Date | null;
}

defineSealedColumn({ table: 'signing_keys', column: 'private_key' });
