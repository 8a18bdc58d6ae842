import { Column, Entity, ForeignKey, Unique } from 'typeorm';
import { BaseEntity } from '../../database/base.entity.js';

/** An uploaded archive of code, named by its content; each team has its own. */
@Entity('sources')
@Unique(['teamId', 'digest'])
export class Source extends BaseEntity {
  @ForeignKey('teams', { onDelete: 'CASCADE' })
  @Column('uuid')
  teamId: string;

  /** `sha256-` and 64 hexadecimal digits. */
  @Column('text')
  digest: string;

  /** Bytes. */
  @Column('integer')
  size: number;

  @Column({ type: 'bytea', select: false })
  content: Buffer;
}
