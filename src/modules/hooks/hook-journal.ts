import { Injectable } from '@nestjs/common';
import { newId } from '../../common/ids.js';
import { requestContext } from '../../common/request-context.js';
import { TransactionRunner, managerOf } from '../../database/transaction-runner.js';
import { AuditLog } from '../audit/audit-log.js';
import type { DeliveryOutcome, DeployHook } from './hook.entities.js';

/** Unproved deliveries of a hook that are kept and recorded in a minute: whoever has its address could send any number. */
const MOST_REFUSALS = 10;
const KEPT_DAYS = 30;
const KEPT_PER_HOOK = 500;

/** What failed for a passing reason may come again under its id; whatever started something may not. */
const CLAIM = `
  INSERT INTO hook_deliveries AS known (id, hook_id, webhook_id, outcome, address) VALUES ($1, $2, $3, 'accepted', $4)
  ON CONFLICT (hook_id, webhook_id) DO UPDATE
    SET outcome = 'accepted', code = NULL, address = EXCLUDED.address, updated_at = now()
    WHERE known.outcome = 'failed'
  RETURNING id`;

const REFUSE = `
  INSERT INTO hook_deliveries (id, hook_id, outcome, code, address)
  SELECT $1, $2, 'refused', $3, $4
   WHERE (SELECT count(*) FROM hook_deliveries
           WHERE hook_id = $2 AND webhook_id IS NULL AND created_at > now() - interval '1 minute') < $5
  RETURNING id`;

/** An id is kept for longer than its signature is good for (5 minutes), however many others come. */
const FORGET = `
  DELETE FROM hook_deliveries d
   WHERE d.created_at < now() - make_interval(days => $1)
      OR (d.created_at < now() - interval '1 hour' AND d.id < (
            SELECT newer.id FROM hook_deliveries newer WHERE newer.hook_id = d.hook_id ORDER BY newer.id DESC OFFSET $2 LIMIT 1))`;

/** Writes down what comes in at hooks: so that each id works once, and that people see what became of it. */
@Injectable()
export class HookJournal {
  constructor(
    private readonly transactions: TransactionRunner,
    private readonly audit: AuditLog,
  ) {}

  /** Takes a message's id for this delivery; null when it came before. Of two at once one wins. */
  async claim(hook: DeployHook, webhookId: string): Promise<string | null> {
    const [claimed] = await this.transactions.statement<{ id: string }[]>(CLAIM, [newId(), hook.id, webhookId, address()]);
    return claimed?.id ?? null;
  }

  /** Writes down what became of a claimed delivery. */
  async finish(hook: DeployHook, id: string, outcome: DeliveryOutcome, result: { code?: string; deploymentId?: string }): Promise<void> {
    const { code = null, deploymentId = null } = result;
    await this.transactions.run(async (tx) => {
      await managerOf(tx).query(
        'UPDATE hook_deliveries SET outcome = $2, code = $3, deployment_id = $4, updated_at = now() WHERE id = $1',
        [id, outcome, code, deploymentId],
      );
      if (outcome === 'refused') return;
      await this.audit.record(tx, {
        ...fileOf(hook),
        action: 'hook.delivered',
        outcome: outcome === 'started' ? 'success' : 'failed',
        details: result,
      });
    });
  }

  /** Writes down a delivery that proved nothing, unless there are too many. */
  async refuse(hook: DeployHook, code: string): Promise<void> {
    await this.transactions.run(async (tx) => {
      const kept = await managerOf(tx).query<unknown[]>(REFUSE, [newId(), hook.id, code, address(), MOST_REFUSALS]);
      if (kept.length === 0) return;
      await this.audit.record(tx, { ...fileOf(hook), action: 'hook.delivery-refused', outcome: 'denied', details: { code } });
    });
  }

  /** Drops old deliveries. */
  async forgetOld(): Promise<void> {
    await this.transactions.statement(FORGET, [KEPT_DAYS, KEPT_PER_HOOK]);
  }
}

function fileOf({ id, name, teamId, projectId }: DeployHook): {
  teamId: string;
  projectId: string;
  subject: { type: string; id: string; name: string };
} {
  return { teamId, projectId, subject: { type: 'hook', id, name } };
}

function address(): string | null {
  return requestContext()?.address ?? null;
}
