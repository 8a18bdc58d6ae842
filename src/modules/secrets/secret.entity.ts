import { Check, Column, Entity, ForeignKey, Unique } from 'typeorm';
import { BaseEntity } from '../../database/base.entity.js';
import { defineSealedColumn } from '../../vault/sealed-columns.js';
import type { VariableKind } from './domain/variable.js';

/**
 * One version of a secret that hithe.yaml gives to a var of a component, or that the platform made up for it, encrypted. Also the copies of
 * what references name: then `component` is empty and `name` is the reference.
 */
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

  /** Of a copy: the version in the other keeper. */
  @Column({ type: 'integer', nullable: true })
  sourceVersion: number | null;
}

/** One version of a variable that somebody set apart from hithe.yaml. Rows are only added: a removal is a version too. */
@Entity('variables')
@Unique(['projectId', 'component', 'name', 'version'])
@Check('ck_variables_kind', `kind IN ('plain', 'secret', 'reference', 'removed')`)
@Check('ck_variables_value', `(kind IN ('plain', 'reference')) = (value IS NOT NULL) AND (kind = 'secret') = (ciphertext IS NOT NULL)`)
export class Variable extends BaseEntity {
  @ForeignKey('projects', { onDelete: 'CASCADE' })
  @Column('uuid')
  projectId: string;

  /** Empty: all components of the project that run code of the team. */
  @Column('text')
  component: string;

  @Column('text')
  name: string;

  @Column('integer')
  version: number;

  @Column('text')
  kind: VariableKind | 'removed';

  /** A plain text, or the address of a reference. */
  @Column({ type: 'text', nullable: true })
  value: string | null;

  @Column({ type: 'bytea', nullable: true })
  ciphertext: Buffer | null;

  /** Who set it; kept when that account is gone. */
  @Column({ type: 'uuid', nullable: true })
  createdBy: string | null;
}

defineSealedColumn({ table: 'secrets', column: 'ciphertext' });
defineSealedColumn({ table: 'variables', column: 'ciphertext' });
