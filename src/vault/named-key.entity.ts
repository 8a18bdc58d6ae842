import { Column, Entity, PrimaryColumn } from 'typeorm';
import { defineSealedColumn } from './sealed-columns.js';

/** A key that the platform made up for a purpose of its own, sealed under the platform key. */
@Entity('named_keys')
export class NamedKey {
  @PrimaryColumn('text')
  name: string;

  @Column('bytea')
  ciphertext: Buffer;

  @Column({ type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;
}

defineSealedColumn({ table: 'named_keys', column: 'ciphertext', key: 'name' });
