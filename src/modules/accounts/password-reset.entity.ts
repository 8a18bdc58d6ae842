import { Column, Entity, ForeignKey } from 'typeorm';
import { BaseEntity } from '../../database/base.entity.js';

/** The newest link that lets a user choose another password, by its hash. Using it deletes it. */
@Entity('password_resets')
export class PasswordReset extends BaseEntity {
  @ForeignKey('users', { onDelete: 'CASCADE' })
  @Column({ type: 'uuid', unique: true })
  userId: string;

  @Column({ type: 'bytea', unique: true })
  tokenHash: Buffer;

  @Column('timestamptz')
  expiresAt: Date;
}
