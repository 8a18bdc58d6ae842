import { Column, Entity } from 'typeorm';
import { BaseEntity } from '../../database/base.entity.js';

/** A person with an account. `email` is lower-case and unique. */
@Entity('users')
export class User extends BaseEntity {
  @Column({ type: 'text', unique: true })
  email: string;

  /** argon2id, encoded. */
  @Column('text')
  passwordHash: string;

  @Column({ type: 'boolean', default: false })
  platformAdmin: boolean;

  @Column({ type: 'timestamptz', nullable: true })
  disabledAt: Date | null;
}
