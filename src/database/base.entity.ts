import { CreateDateColumn, PrimaryColumn, UpdateDateColumn } from 'typeorm';
import { newId } from '../common/ids.js';

/** The columns that every row with an identity has: a UUID version 7, and when it came and last changed. */
export abstract class BaseEntity {
  @PrimaryColumn('uuid')
  id: string = newId();

  @CreateDateColumn({ type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;

  @UpdateDateColumn({ type: 'timestamptz', default: () => 'now()' })
  updatedAt: Date;
}
