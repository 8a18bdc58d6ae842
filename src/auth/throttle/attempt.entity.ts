import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How often something was tried within a window of time. */
@Entity('attempts')
export class Attempt {
  /** SHA-256 of kind, scope, address and account. */
  @PrimaryColumn('bytea')
  key: Buffer;

  @Column('integer')
  attempts: number;

  @Column('timestamptz')
  expiresAt: Date;
}
