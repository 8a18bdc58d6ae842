import { Column, Entity } from 'typeorm';
import { BaseEntity } from '../../database/base.entity.js';

/** Somebody who asked for an account and has yet to show that the address is theirs. */
@Entity('sign_ups')
export class SignUp extends BaseEntity {
  @Column({ type: 'text', unique: true })
  email: string;

  /** argon2id, encoded. */
  @Column('text')
  passwordHash: string;

  @Column({ type: 'bytea', unique: true })
  tokenHash: Buffer;

  @Column('timestamptz')
  expiresAt: Date;
}
