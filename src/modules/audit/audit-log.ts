import { createHash, createHmac } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DomainError } from '../../common/domain-error.js';
import { newId } from '../../common/ids.js';
import { requestContext } from '../../common/request-context.js';
import type { Transaction } from '../../common/transaction.js';
import { TransactionRunner, sqlState } from '../../database/transaction-runner.js';
import { NamedKeys } from '../../vault/named-keys.js';

export const OUTCOMES = ['success', 'denied', 'failed'] as const;
export type Outcome = (typeof OUTCOMES)[number];
export const ACTOR_KINDS = ['user', 'service', 'system', 'anonymous'] as const;
export type ActorKind = (typeof ACTOR_KINDS)[number];

/** What somebody did, or tried to do. Who, from where and by which request comes from the request context. */
export interface AuditEntry {
  /** `<noun>.<past tense>`: `project.applied`, `user.logged-in`, `member.role-changed`. docs/audit.md lists all. */
  action: string;
  /** Default: success. */
  outcome?: Outcome;
  /** Whose event it is; null or absent: the platform's, which no team sees. */
  teamId?: string | null;
  projectId?: string | null;
  subject: { type: string; id: string; name?: string };
  /** JSON; only what changed (`changesBetween`), and secrets only as `AuditLog.fingerprint`. */
  before?: unknown;
  after?: unknown;
  details?: Record<string, unknown>;
  /** Only where the context has no actor yet: log-ins. */
  actor?: { userId: string; email: string };
}

/** Longer values are kept as their size and SHA-256 only. */
const LARGEST_VALUE_BYTES = 64 * 1024;
const FINGERPRINT_BYTES = 16;
const RETRYABLE = new Set(['40001', '40P01']);
const COLUMNS = [
  'id',
  'actor_kind',
  'actor_id',
  'actor_email',
  'session_id',
  'token_id',
  'part',
  'address',
  'request_id',
  'action',
  'outcome',
  'team_id',
  'project_id',
  'subject_type',
  'subject_id',
  'subject_name',
  'before',
  'after',
  'details',
];
const INSERT = `INSERT INTO audit_events (${COLUMNS.join(', ')}) VALUES (${COLUMNS.map((_, index) => `$${index + 1}`).join(', ')})`;

/**
 * The audit log, for every module that changes something. Each change records itself in its own transaction: both are kept, or
 * neither. When an event cannot be written, `AUDIT_UNAVAILABLE` (503) is thrown and the change must not happen.
 */
@Injectable()
export class AuditLog implements OnModuleInit {
  private fingerprintKey: Buffer | undefined;

  constructor(
    private readonly transactions: TransactionRunner,
    private readonly keys: NamedKeys,
  ) {}

  async onModuleInit(): Promise<void> {
    this.fingerprintKey = await this.keys.get('audit-fingerprints');
  }

  /**
   * Records within the transaction of the change. Take every other lock (rows of projects, teams, …) before: all appenders
   * wait for one another until commit, so this should be the last statement.
   */
  async record(tx: Transaction, entry: AuditEntry): Promise<void> {
    await tx.query(INSERT, parametersOf(entry)).catch(unavailable);
  }

  /** Records in a transaction of its own: log-ins, denied attempts, reveals. */
  async recordNow(entry: AuditEntry): Promise<void> {
    await this.transactions.statement(INSERT, parametersOf(entry)).catch(unavailable);
  }

  /** Stands for a secret in `before` and `after`: the same for the same value, and useless without the platform's key. */
  fingerprint(secret: string): string {
    if (this.fingerprintKey === undefined) throw new TypeError('The audit log has not started: there is no key for fingerprints');
    const digest = createHmac('sha256', this.fingerprintKey).update(secret).digest();
    return `hmac-sha256:${digest.subarray(0, FINGERPRINT_BYTES).toString('hex')}`;
  }
}

function parametersOf(entry: AuditEntry): unknown[] {
  const context = requestContext();
  const actor = entry.actor ?? context?.actor;
  const values = {
    id: newId(),
    actorKind: actor ? 'user' : context?.system === true ? 'system' : 'anonymous',
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
    details: jsonOf(entry.details),
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
