import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DomainError } from '../../common/domain-error.js';
import { newId } from '../../common/ids.js';
import { asSystem } from '../../common/request-context.js';
import { Config } from '../../config/config.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import { HandleJob } from '../../queue/job.js';
import { JobQueue } from '../../queue/job-queue.js';
import { type PlatformKeyInfo, PlatformKeys } from '../../vault/platform-keys.js';
import { AuditLog } from '../audit/audit-log.js';
import { SecretsService } from '../secrets/secrets.service.js';
import { type RewrapDataKeys, rewrapDataKeys } from './platform-keys.jobs.js';
import { SealedRows } from './sealed-rows.js';

/** The keyring is read, changed and replaced by one process at a time, in the whole installation: a lost change would lose a key. */
const LOCK = `SELECT pg_advisory_xact_lock(hashtext('hithe platform keys'))`;

/** A platform key with how many rows it wraps. */
export interface PlatformKeyUse extends PlatformKeyInfo {
  rows: number;
}

const JOB_KEY = 'all';

/** Rotates the platform key: a new generation wraps from now on, and a job wraps the old data keys anew. */
@Injectable()
export class PlatformKeysService implements OnApplicationBootstrap {
  private readonly logger = new Logger('PlatformKeys');

  constructor(
    private readonly keys: PlatformKeys,
    private readonly rows: SealedRows,
    private readonly secrets: SecretsService,
    private readonly transactions: TransactionRunner,
    private readonly queue: JobQueue,
    private readonly audit: AuditLog,
    private readonly config: Config,
  ) {}

  /** Goes on at once with a rotation that the end of an earlier process cut short: the queue waits for that one until its time is over. */
  async onApplicationBootstrap(): Promise<void> {
    if (!this.config.has('worker')) return;
    const isUnfinished = (await this.list()).some(({ active, rows }) => !active && rows > 0);
    if (isUnfinished) await this.queue.enqueue(rewrapDataKeys, {}, { key: newId() });
  }

  /** Every key that can still decrypt, oldest first, with what it wraps; what older versions of Hithe wrapped counts for the oldest. */
  async list(): Promise<PlatformKeyUse[]> {
    const [keys, counts] = await Promise.all([this.keys.list(), this.rows.countByKey()]);
    return keys.map((key, index) => ({ ...key, rows: (counts.get(key.id) ?? 0) + (index === 0 ? (counts.get('') ?? 0) : 0) }));
  }

  /** Makes a new key and starts to wrap everything by it. Everything stays readable throughout. Returns the keys. */
  async rotate(): Promise<PlatformKeyUse[]> {
    const before = (await this.keys.activeKeyId()).toString('hex');
    const next = await this.exclusively(() => this.keys.add());
    await this.transactions.run(async (tx) => {
      await this.queue.enqueue(rewrapDataKeys, { activate: next.id }, { tx, key: JOB_KEY });
      await this.audit.record(tx, {
        action: 'platform-key.rotated',
        subject: { type: 'platform-key', id: next.id },
        before: { active: before },
        after: { active: next.id },
      });
    });
    // Only now, so that no rotation goes unrecorded. Should this process die here, the job does it.
    await this.exclusively(() => this.keys.activate(next.id));
    return this.list();
  }

  /** Deletes the old keys for good. Throws `PLATFORM_KEY_IN_USE` while they wrap a row. */
  async retire(): Promise<PlatformKeyUse[]> {
    const ids = await this.transactions.run(async (tx) => {
      const old = (await this.list()).filter(({ active }) => !active);
      const used = old.filter(({ rows }) => rows > 0);
      if (used.length > 0) throw inUse(used);
      if (old.length === 0) return [];
      await this.audit.record(tx, {
        action: 'platform-key.retired',
        subject: { type: 'platform-key', id: old.map(({ id }) => id).join(',') },
        before: { keys: old.map(({ id }) => id) },
      });
      return old.map(({ id }) => id);
    });
    if (ids.length > 0) await this.exclusively(() => this.keys.retire(ids));
    return this.list();
  }

  /** Goes on where it was cut short: whatever is not wrapped by the active key is found anew. */
  @HandleJob(rewrapDataKeys)
  async rewrap({ activate }: RewrapDataKeys): Promise<void> {
    await asSystem('platform-keys', async () => {
      if (activate !== undefined) await this.exclusively(() => this.keys.activate(activate));
      const active = (await this.keys.activeKeyId()).toString('hex');
      const renewed = await this.secrets.renewFirstFormat();
      const rewrapped = await this.rows.rewrapAll(active);
      if (renewed + rewrapped > 0) this.logger.log(`${renewed + rewrapped} data keys are now wrapped by the platform key ${active}`);
    });
  }
  private exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.transactions.run(async (tx) => {
      await tx.query(LOCK);
      return work();
    });
  }
}

function inUse(used: readonly PlatformKeyUse[]): DomainError {
  const rows = used.reduce((sum, key) => sum + key.rows, 0);
  return new DomainError('conflict', 'PLATFORM_KEY_IN_USE', `Old platform keys still wrap ${rows} data keys.`, {
    fix: 'Wait until the rotation is done: `hithe secrets keys` shows 0 rows for them. If it does not end, look into control-plane.log.',
  });
}
