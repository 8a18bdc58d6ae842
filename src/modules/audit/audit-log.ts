import { createHash, createHmac } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DomainError } from '../../common/domain-error.js';
import { newId } from '../../common/ids.js';
import { requestContext } from '../../common/request-context.js';
import type { Transaction } from '../../common/transaction.js';
import { TransactionRunner, beforeCommit, sqlState } from '../../database/transaction-runner.js';
import { isServiceAddress } from '../users/service-address.js';
import { NamedKeys } from '../../vault/named-keys.js';
import type { AuditEntry } from './domain/audit-entry.js';
import { SUPPLIED_COLUMNS } from './domain/audit-record.js';

export type { AuditEntry } from './domain/audit-entry.js';

/** Longer values are kept as their size and SHA-256 only. */
const LARGEST_VALUE_BYTES = 64 * 1024;
const FINGERPRINT_BYTES = 16;
const RETRYABLE = new Set(['40001', '40P01']);

/**
 * The audit log, for every module that changes something. Each change records itself in its own transaction: both are kept, or
 * neither. When an event cannot be written, `AUDIT_UNAVAILABLE` (503) is thrown and the change must not happen.
 */
@Injectable()
export class AuditLog implements OnModuleInit {
  private fingerprintKey: Buffer | undefined;
  private readonly waiting = new WeakMap<Transaction, Row[]>();

  constructor(
    private readonly transactions: TransactionRunner,
    private readonly keys: NamedKeys,
  ) {}

  async onModuleInit(): Promise<void> {
    this.fingerprintKey = await this.keys.get('audit-fingerprints');
  }

  /**
   * Records within the transaction of the change. It is written just before the commit, whenever this is called: all appenders wait
   * for one another until they commit, so no other lock must be taken after that one.
   */
  async record(tx: Transaction, entry: AuditEntry): Promise<void> {
    const row = rowOf(entry);
    const waiting = this.waiting.get(tx);
    if (waiting !== undefined) {
      waiting.push(row);
      return;
    }
    const rows = [row];
    this.waiting.set(tx, rows);
    await beforeCommit(tx, async () => {
      this.waiting.delete(tx);
      await tx.query(...insertOf(rows)).catch(unavailable);
    });
  }

  /** Records in a transaction of its own: log-ins, denied attempts, reveals. */
  async recordNow(entry: AuditEntry): Promise<void> {
    await this.transactions.statement(...insertOf([rowOf(entry)])).catch(unavailable);
  }

  /** Stands for a secret in `before` and `after`: the same for the same value, and useless without the platform's key. */
  fingerprint(secret: string): string {
    if (this.fingerprintKey === undefined) throw new TypeError('The audit log has not started: there is no key for fingerprints');
    const digest = createHmac('sha256', this.fingerprintKey).update(secret).digest();
    return `hmac-sha256:${digest.subarray(0, FINGERPRINT_BYTES).toString('hex')}`;
  }
}

/** Values in the order of `SUPPLIED_COLUMNS`. */
type Row = (string | null)[];

function insertOf(rows: readonly Row[]): [string, unknown[]] {
  const tuples = rows.map((row, index) => `(${row.map((_, column) => `$${index * SUPPLIED_COLUMNS.length + column + 1}`).join(', ')})`);
  return [`INSERT INTO audit_events (${SUPPLIED_COLUMNS.join(', ')}) VALUES ${tuples.join(', ')}`, rows.flat()];
}

/** What a platform administrator does in a team whose glass they broke names the case. */
function withBrokenGlass({ teamId, details }: AuditEntry, broken: Readonly<Record<string, string>> | undefined): AuditEntry['details'] {
  const breakGlassId = broken?.[teamId ?? ''];
  return breakGlassId === undefined ? details : { ...details, breakGlassId };
}

function rowOf(entry: AuditEntry): Row {
  const context = requestContext();
  const actor = entry.actor ?? context?.actor;
  const values = {
    id: newId(),
    actorKind: actor ? (isServiceAddress(actor.email) ? 'service' : 'user') : context?.system === true ? 'system' : 'anonymous',
    actorId: actor?.userId,
    actorEmail: actor?.email,
    sessionId: context?.actor?.sessionId,
    tokenId: context?.actor?.tokenId,
    part: actor ? undefined : context?.part,
    address: context?.address,
    requestId: context?.requestId,
    action: entry.action,
    outcome: entry.outcome ?? 'success',
    teamId: entry.teamId,
    projectId: entry.projectId,
    subjectType: entry.subject.type,
    subjectId: entry.subject.id,
    subjectName: entry.subject.name,
    before: jsonOf(entry.before),
    after: jsonOf(entry.after),
    details: jsonOf(withBrokenGlass(entry, context?.actor?.brokenGlass)),
  };
  // PostgreSQL's text cannot hold NUL.
  return Object.values(values).map((value) => value?.replaceAll('\0', '') ?? null);
}

function jsonOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  const text = JSON.stringify(value);
  if (Buffer.byteLength(text) <= LARGEST_VALUE_BYTES) return text;
  return JSON.stringify({ tooLong: { bytes: Buffer.byteLength(text), sha256: createHash('sha256').update(text).digest('hex') } });
}

function unavailable(error: unknown): never {
  // The whole transaction runs again, the recording with it.
  if (RETRYABLE.has(sqlState(error) ?? '')) throw error;
  throw new DomainError('unavailable', 'AUDIT_UNAVAILABLE', 'The audit log cannot be written, so nothing was changed.', {
    fix: 'Tell the operator of the platform; the cause is in control-plane.log.',
    cause: error,
  });
}
