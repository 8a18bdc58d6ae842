import { createPublicKey } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, IsNull, LessThan, Repository } from 'typeorm';
import { asSystem } from '../../common/request-context.js';
import { Config } from '../../config/config.js';
import { Notifications, defineChannel } from '../../database/notifications.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import { AuditLog } from '../../modules/audit/audit-log.js';
import { Envelopes, placeOf } from '../../vault/envelopes.js';
import { KeyRing, type RingKey } from './key-ring.js';
import { type EcPublicKey, type KeyPair, keyPairInFile, newKeyPair } from './key-pair.js';
import { SigningKey } from './signing-key.entity.js';

/** Tells every replica to look at the keys again. */
export const keysChanged = defineChannel<Record<string, never>>('signing_keys_changed');

/** Any number will do, as long as all replicas use the same. */
const ROTATION_LOCK = 7_070_016;
/** A replica that has not heard of a rotation signs with the key before for at most as long as it trusts its ring. */
const LEEWAY_SECONDS = 60;
const KEPT_FOR_THE_RECORD_MS = 24 * 60 * 60 * 1000;

/** The public half of a key as the world may know it. */
export interface PublishedKey extends EcPublicKey {
  kid: string;
  use: 'sig';
  alg: 'ES256';
}

/** The key that signs now. */
export interface CurrentKey {
  kid: string;
  /** PEM. */
  privateKey: string;
}

/**
 * The ES256 keys that sign access tokens, in the database and so the same in every replica, sealed under the platform key. One key
 * signs; a replaced one verifies until its last token has expired.
 */
@Injectable()
export class SigningKeys implements OnApplicationBootstrap {
  private readonly logger = new Logger(SigningKeys.name);
  private readonly ring = new KeyRing(() => asSystem('signing-keys', () => this.load()));

  constructor(
    @InjectRepository(SigningKey) private readonly keys: Repository<SigningKey>,
    private readonly transactions: TransactionRunner,
    private readonly notifications: Notifications,
    private readonly envelopes: Envelopes,
    private readonly audit: AuditLog,
    private readonly config: Config,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.notifications.on(keysChanged, () => {
      this.ring.forget();
    });
    this.notifications.onReconnect(() => {
      this.ring.forget();
    });
  }

  /** The key to sign with; made when there is none yet. */
  async current(): Promise<CurrentKey> {
    const key = (await this.ring.all()).find((each) => each.privateKey !== null);
    if (key?.privateKey) return { kid: key.kid, privateKey: key.privateKey };
    throw new TypeError('There is no signing key');
  }

  /** PEM of the key of that id, unless it is unknown or verifies no more. */
  async verifierOf(kid: string): Promise<string | undefined> {
    return (await this.ring.find(kid))?.publicKeyPem;
  }

  /** The public halves of all keys whose tokens are good, for a JSON Web Key Set. */
  async published(): Promise<PublishedKey[]> {
    return (await this.ring.all()).map(({ kid, publicKey: { kty, crv, x, y } }) => ({ kty, crv, x, y, kid, use: 'sig', alg: 'ES256' }));
  }

  /** All keys that are known, newest first. */
  list(): Promise<SigningKey[]> {
    return this.keys.find({ order: { id: 'DESC' } });
  }

  /**
   * From now on a new key signs. Tokens of the one before stay good until they expire; with `endPrevious` they are refused at
   * once, for when a key has leaked, and clients refresh theirs.
   */
  async rotate(options: { endPrevious: boolean }): Promise<SigningKey> {
    const created = await this.transactions.run(async (tx) => {
      await lock(tx);
      const previous = await tx.findBy(SigningKey, { replacedAt: IsNull() });
      await this.retire(tx, options.endPrevious);
      const key = await this.insert(tx, newKeyPair());
      await this.notifications.notify(tx, keysChanged, {});
      await this.audit.record(tx, {
        action: 'signing-key.rotated',
        subject: { type: 'signing-key', id: key.id },
        before: { keys: previous.map(({ id }) => id) },
        after: { key: key.id, endPrevious: options.endPrevious },
      });
      return key;
    });
    this.ring.forget();
    return created;
  }

  /** Rotates when the current key is older than HITHE_SIGNING_KEY_DAYS, and drops keys that verify no more. */
  async rotateWhenDue(now = new Date()): Promise<void> {
    const oldest = new Date(now.getTime() - this.config.signingKeyDays * 24 * 60 * 60 * 1000);
    if (await this.keys.existsBy({ replacedAt: IsNull(), createdAt: LessThan(oldest) })) await this.rotate({ endPrevious: false });
    await this.keys.delete({ verifiesUntil: LessThan(new Date(now.getTime() - KEPT_FOR_THE_RECORD_MS)) });
  }

  private async load(): Promise<RingKey[]> {
    if (!(await this.keys.existsBy({ replacedAt: IsNull() }))) await this.makeFirst();
    const rows = (await this.list()).filter((row) => row.verifiesUntil === null || row.verifiesUntil > new Date());
    return Promise.all(
      rows.map(async (row) => ({
        kid: row.id,
        publicKey: { ...row.publicKey },
        publicKeyPem: createPublicKey({ key: { ...row.publicKey }, format: 'jwk' })
          .export({ type: 'spki', format: 'pem' })
          .toString(),
        privateKey: row.replacedAt === null ? await this.envelopes.decrypt(placeOf('signing-key', row.id), row.privateKey) : null,
        verifiesUntil: row.verifiesUntil,
      })),
    );
  }

  /** Takes over the file of an earlier version, so that it is kept in one place only. */
  private async makeFirst(): Promise<void> {
    const file = this.config.paths.control.jwtKey;
    const imported = await this.transactions.run(async (tx) => {
      await lock(tx);
      if (await tx.existsBy(SigningKey, { replacedAt: IsNull() })) return false;
      const kept = keyPairInFile(file);
      await this.insert(tx, kept ?? newKeyPair());
      return kept !== null;
    });
    if (!imported) return;
    await rm(file);
    this.logger.log(`The signing key in ${file} is in the database now`);
  }

  private async insert(tx: EntityManager, pair: KeyPair): Promise<SigningKey> {
    const key = tx.create(SigningKey, { publicKey: pair.publicKey, replacedAt: null, verifiesUntil: null });
    key.privateKey = await this.envelopes.encrypt(placeOf('signing-key', key.id), pair.privateKey);
    return tx.save(key);
  }

  private async retire(tx: EntityManager, atOnce: boolean): Promise<void> {
    const seconds = atOnce ? 0 : this.config.accessTokenTtl + LEEWAY_SECONDS;
    await tx.query(
      `UPDATE signing_keys SET replaced_at = coalesce(replaced_at, now()), updated_at = now(),
              verifies_until = least(verifies_until, now() + make_interval(secs => $1))
        WHERE replaced_at IS NULL OR $2`,
      [seconds, atOnce],
    );
  }
}

async function lock(tx: EntityManager): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock($1)', [ROTATION_LOCK]);
}
