import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import type { Transaction } from '../../common/transaction.js';
import { managerOf } from '../../database/transaction-runner.js';
import { decrypt, encrypt } from './envelope.js';
import { PlatformKey } from './platform-key.js';
import { Secret } from './secret.entity.js';

/** Where a secret belongs; part of its authentication, so that two cannot be swapped. */
export interface SecretPlace {
  projectId: string;
  component: string;
  name: string;
}

export interface SecretVersion extends SecretPlace {
  version: number;
}

/** Passwords of 192 bits, in letters, digits, - and _: fit for URLs and shells. */
const GENERATED_BYTES = 24;

/** Keeps the secret vars of components. A value never changes: a new one is a new version. */
@Injectable()
export class SecretsService {
  constructor(
    @InjectRepository(Secret) private readonly secrets: Repository<Secret>,
    private readonly key: PlatformKey,
  ) {}

  /** The newest version of each secret of a project. */
  async newest(projectId: string, tx?: Transaction): Promise<SecretVersion[]> {
    const repository = tx === undefined ? this.secrets : managerOf(tx).getRepository(Secret);
    const rows = await repository.find({
      select: { component: true, name: true, version: true },
      where: { projectId },
      order: { version: 'ASC' },
    });
    return [
      ...new Map(
        rows.map((row) => [`${row.component}/${row.name}`, { projectId, component: row.component, name: row.name, version: row.version }]),
      ).values(),
    ];
  }

  /** Stores a value that somebody gave; the version it has had, when it is the newest one already. */
  async put(tx: Transaction, place: SecretPlace, value: string): Promise<number> {
    const last = await this.last(tx, place);
    if (last !== null && decrypt(await this.key.get(), aadOf({ ...place, version: last.version }), last.ciphertext) === value)
      return last.version;
    return this.add(tx, place, (last?.version ?? 0) + 1, value, false);
  }

  /** The version of a password that the platform makes up once, when there is none. */
  async ensureGenerated(tx: Transaction, place: SecretPlace): Promise<number> {
    const last = await this.last(tx, place);
    return last === null ? this.add(tx, place, 1, randomBytes(GENERATED_BYTES).toString('base64url'), true) : last.version;
  }

  /** The values of these versions by name. Only for sending them to the node that runs the component. */
  async reveal(projectId: string, component: string, versions: Readonly<Record<string, number>>): Promise<Record<string, string>> {
    const names = Object.keys(versions);
    if (names.length === 0) return {};
    const rows = await this.secrets.findBy({ projectId, component, name: In(names) });
    const key = await this.key.get();
    const wanted = rows.filter((row) => versions[row.name] === row.version);
    return Object.fromEntries(wanted.map((row) => [row.name, decrypt(key, aadOf(row), row.ciphertext)]));
  }

  private last(tx: Transaction, place: SecretPlace): Promise<Secret | null> {
    return managerOf(tx).findOne(Secret, {
      where: { projectId: place.projectId, component: place.component, name: place.name },
      order: { version: 'DESC' },
    });
  }

  private async add(tx: Transaction, place: SecretPlace, version: number, value: string, generated: boolean): Promise<number> {
    const ciphertext = encrypt(await this.key.get(), aadOf({ ...place, version }), value);
    await managerOf(tx).save(managerOf(tx).create(Secret, { ...place, version, generated, ciphertext }));
    return version;
  }
}

function aadOf(secret: SecretVersion): string {
  return [secret.projectId, secret.component, secret.name, secret.version].join('/');
}
