import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import type { Transaction } from '../../common/transaction.js';
import { managerOf } from '../../database/transaction-runner.js';
import { Envelopes, placeOf } from '../../vault/envelopes.js';
import { PROJECT_SCOPE } from './domain/variable.js';
import { Secret } from './secret.entity.js';

/** Where a secret belongs; part of its authentication, so that two cannot be swapped. */
export interface SecretPlace {
  teamId: string;
  projectId: string;
  component: string;
  name: string;
}

/** A version of a secret, without its value. */
export interface SecretVersion {
  component: string;
  name: string;
  version: number;
  generated: boolean;
  at: Date;
}

/** Whose secrets are asked for. */
export interface SecretOwner {
  teamId: string;
  projectId: string;
}

/** Passwords of 192 bits, in letters, digits, - and _: fit for URLs and shells. */
const GENERATED_BYTES = 24;

const FIRST_FORMAT = `
  SELECT s.id, s.project_id AS "projectId", s.component, s.name, s.version, s.ciphertext, p.team_id AS "teamId"
  FROM secrets s JOIN projects p ON p.id = s.project_id WHERE get_byte(s.ciphertext, 0) = 1`;

/** Keeps the secret vars of components, and copies of what references name. A value never changes: a new one is a new version. */
@Injectable()
export class SecretsService {
  constructor(
    @InjectRepository(Secret) private readonly secrets: Repository<Secret>,
    private readonly envelopes: Envelopes,
  ) {}

  /** The newest version of each secret var of a project. */
  async newest(projectId: string, tx?: Transaction): Promise<SecretVersion[]> {
    const repository = tx === undefined ? this.secrets : managerOf(tx).getRepository(Secret);
    const rows = await repository.find({
      select: { component: true, name: true, version: true, generated: true, createdAt: true },
      where: { projectId },
      order: { version: 'ASC' },
    });
    const vars = rows.filter((row) => row.component !== PROJECT_SCOPE);
    return [
      ...new Map(
        vars.map(({ component, name, version, generated, createdAt }) => [
          `${component}/${name}`,
          { component, name, version, generated, at: createdAt },
        ]),
      ).values(),
    ];
  }

  /** Stores a value that somebody gave; the version it has had, when it is the newest one already. */
  async put(tx: Transaction, place: SecretPlace, value: string): Promise<number> {
    return this.store(tx, place, value, null);
  }

  /** Keeps a copy of what a reference names, and says its version; the one before when the value is the same. */
  async putCopy(tx: Transaction, owner: SecretOwner, reference: string, read: { value: string; version: number | null }): Promise<number> {
    return this.store(tx, { ...owner, component: PROJECT_SCOPE, name: reference }, read.value, read.version);
  }

  /** The version of a password that the platform makes up once, when there is none. */
  async ensureGenerated(tx: Transaction, place: SecretPlace): Promise<number> {
    const last = await this.last(tx, place);
    return last === null ? this.add(tx, place, 1, randomBytes(GENERATED_BYTES).toString('base64url'), { generated: true }) : last.version;
  }

  /** The values of these versions of a component's secret vars, by name. Only for the node that runs it, and for reveals. */
  reveal(owner: SecretOwner, component: string, versions: Readonly<Record<string, number>>): Promise<Record<string, string>> {
    return this.valuesOf(owner, component, versions);
  }

  /** The values of these versions of copies, by reference. */
  copies(owner: SecretOwner, versions: Readonly<Record<string, number>>): Promise<Record<string, string>> {
    return this.valuesOf(owner, PROJECT_SCOPE, versions);
  }

  /** The newest copy of what each reference names: its version, and that in the other keeper. */
  async newestCopies(projectId: string): Promise<Map<string, { version: number; sourceVersion: number | null }>> {
    const rows = await this.secrets.find({ where: { projectId, component: PROJECT_SCOPE }, order: { version: 'ASC' } });
    return new Map(rows.map(({ name, version, sourceVersion }) => [name, { version, sourceVersion }]));
  }

  /** Seals what older versions of Hithe sealed in the present format, which names the platform key and the team; says how many there were. */
  async renewFirstFormat(): Promise<number> {
    const rows = await this.secrets.manager.query<(Secret & { teamId: string })[]>(FIRST_FORMAT);
    for (const row of rows) {
      const ciphertext = await this.envelopes.encrypt(secretPlace(row), await this.open(row.teamId, row));
      await this.secrets.update({ id: row.id, ciphertext: row.ciphertext }, { ciphertext });
    }
    return rows.length;
  }

  private async valuesOf(
    owner: SecretOwner,
    component: string,
    versions: Readonly<Record<string, number>>,
  ): Promise<Record<string, string>> {
    const names = Object.keys(versions);
    if (names.length === 0) return {};
    const rows = await this.secrets.findBy({ projectId: owner.projectId, component, name: In(names) });
    const wanted = rows.filter((row) => versions[row.name] === row.version);
    return Object.fromEntries(await Promise.all(wanted.map(async (row) => [row.name, await this.open(owner.teamId, row)] as const)));
  }

  private async store(tx: Transaction, place: SecretPlace, value: string, sourceVersion: number | null): Promise<number> {
    const last = await this.last(tx, place);
    if (last !== null && (await this.open(place.teamId, last)) === value) return last.version;
    return this.add(tx, place, (last?.version ?? 0) + 1, value, { generated: false, sourceVersion });
  }

  private open(teamId: string, row: Secret): Promise<string> {
    return this.envelopes.decrypt(
      secretPlace({ teamId, projectId: row.projectId, component: row.component, name: row.name, version: row.version }),
      row.ciphertext,
      formerPlace(row),
    );
  }

  private last(tx: Transaction, place: SecretPlace): Promise<Secret | null> {
    return managerOf(tx).findOne(Secret, {
      where: { projectId: place.projectId, component: place.component, name: place.name },
      order: { version: 'DESC' },
    });
  }

  private async add(
    tx: Transaction,
    place: SecretPlace,
    version: number,
    value: string,
    origin: { generated: boolean; sourceVersion?: number | null },
  ): Promise<number> {
    const ciphertext = await this.envelopes.encrypt(secretPlace({ ...place, version }), value);
    const { projectId, component, name } = place;
    await managerOf(tx).save(
      managerOf(tx).create(Secret, { projectId, component, name, version, sourceVersion: null, ...origin, ciphertext }),
    );
    return version;
  }
}

/** What the envelope of a secret is bound to. */
export function secretPlace(secret: SecretPlace & { version: number }): string {
  return placeOf('secret', secret.teamId, secret.projectId, secret.component, secret.name, secret.version);
}

/** What envelopes of the first format were bound to. */
export function formerPlace(secret: Omit<SecretPlace, 'teamId'> & { version: number }): string {
  return [secret.projectId, secret.component, secret.name, secret.version].join('/');
}
