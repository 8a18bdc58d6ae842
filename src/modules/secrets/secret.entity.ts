import { Column, Entity, ForeignKey, Unique } from 'typeorm';
import { BaseEntity } from '../../database/base.entity.js';

/** One version of a secret var of a component, encrypted. */
@Entity('secrets')
@Unique(['projectId', 'component', 'name', 'version'])
export class Secret extends BaseEntity {
  @ForeignKey('projects', { onDelete: 'CASCADE' })
  @Column('uuid')
  projectId: string;

  @Column('text')
  component: string;

  @Column('text')
  name: string;

  @Column('integer')
  version: number;

  /** Made up by the platform, rather than given by somebody. */
  @Column('boolean')
  generated: boolean;

  @Column('bytea')
  ciphertext: Buffer;
}
