import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import type { Transaction } from '../../common/transaction.js';
import { managerOf } from '../../database/transaction-runner.js';
import { type Page, type PageQuery, pageOf } from '../../http/pagination.js';
import { Envelopes, placeOf } from '../../vault/envelopes.js';
import type { SetVariable, VariableKind } from './domain/variable.js';
import { Variable } from './secret.entity.js';
import type { SecretOwner } from './secrets.service.js';

/** A version of a variable with who made it and when. */
export interface VariableRecord {
  component: string;
  name: string;
  version: number;
  kind: VariableKind | 'removed';
  /** Null for a secret and for a removal. */
  value: string | null;
  createdBy: string | null;
  at: Date;
}

/** A value that somebody gives to a variable; `removed` takes it away. */
export interface NewVersion {
  component: string;
  name: string;
  kind: VariableKind | 'removed';
  value: string;
}

const NEWEST = `
  SELECT DISTINCT ON (component, name) component, name, version, kind, value, created_by AS "createdBy", created_at AS at
  FROM variables WHERE project_id = $1 ORDER BY component, name, version DESC`;

/** Keeps variables. Rows are only ever added; callers that write hold the project's lock. */
@Injectable()
export class VariablesStore {
  constructor(
    @InjectRepository(Variable) private readonly variables: Repository<Variable>,
    private readonly envelopes: Envelopes,
  ) {}

  /** The variables that are set now, by component and name. */
  async current(projectId: string, tx?: Transaction): Promise<(SetVariable & VariableRecord)[]> {
    const rows = await (tx ?? this.variables.manager).query<VariableRecord[]>(NEWEST, [projectId]);
    return rows.filter((row): row is SetVariable & VariableRecord => row.kind !== 'removed');
  }

  /** Grows with every change of any variable of the project. */
  revision(projectId: string, tx?: Transaction): Promise<number> {
    return (tx === undefined ? this.variables.manager : managerOf(tx)).countBy(Variable, { projectId });
  }

  /** All versions of one variable, newest first. */
  async history(projectId: string, component: string, name: string, page: PageQuery): Promise<Page<VariableRecord>> {
    const found = await pageOf(this.variables.createQueryBuilder('variable').where({ projectId, component, name }), page, 'DESC');
    return { ...found, items: found.items.map(recordOf) };
  }

  /** Adds a version of a variable and says its number. */
  async add(tx: Transaction, owner: SecretOwner, change: NewVersion, createdBy: string): Promise<number> {
    const manager = managerOf(tx);
    const { component, name, kind } = change;
    const last = await manager.maximum(Variable, 'version', { projectId: owner.projectId, component, name });
    const version = (last ?? 0) + 1;
    const ciphertext =
      kind === 'secret' ? await this.envelopes.encrypt(variablePlace(owner, component, name, version), change.value) : null;
    const value = kind === 'plain' || kind === 'reference' ? change.value : null;
    await manager.insert(
      Variable,
      manager.create(Variable, { projectId: owner.projectId, component, name, version, kind, value, ciphertext, createdBy }),
    );
    return version;
  }

  /** The values of these versions of secret variables, by name. Only for the node that runs the component, and for reveals. */
  async reveal(
    owner: SecretOwner,
    component: string,
    versions: Readonly<Record<string, number>>,
    tx?: Transaction,
  ): Promise<Record<string, string>> {
    const names = Object.keys(versions);
    if (names.length === 0) return {};
    const repository = tx === undefined ? this.variables : managerOf(tx).getRepository(Variable);
    const rows = await repository.findBy({ projectId: owner.projectId, component, name: In(names), kind: 'secret' });
    const wanted = rows.filter((row) => versions[row.name] === row.version);
    return Object.fromEntries(await Promise.all(wanted.map(async (row) => [row.name, await this.open(owner, row)] as const)));
  }

  private open(owner: SecretOwner, row: Variable): Promise<string> {
    if (row.ciphertext === null) throw new TypeError(`${row.name} is no secret`);
    return this.envelopes.decrypt(variablePlace(owner, row.component, row.name, row.version), row.ciphertext);
  }
}

function variablePlace(owner: SecretOwner, component: string, name: string, version: number): string {
  return placeOf('variable', owner.teamId, owner.projectId, component, name, version);
}

function recordOf({ component, name, version, kind, value, createdBy, createdAt }: Variable): VariableRecord {
  return { component, name, version, kind, value, createdBy, at: createdAt };
}
