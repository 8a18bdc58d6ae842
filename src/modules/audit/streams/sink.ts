import { type AuditRecord, jsonLineOf } from '../domain/audit-record.js';
import type { SignedHead } from '../domain/signed-statement.js';

/** What a stream carries: events in their order, and now and then the signed head of what it has carried. */
export type StreamItem = { event: AuditRecord; head?: undefined } | { head: SignedHead; event?: undefined };

/** The far end of a stream. */
export interface AuditSink {
  /** Resolves once all items have arrived, as far as the sink can know; they may arrive twice. Throws `BatchBeforeInDoubt`, or any other error. */
  send(items: readonly StreamItem[], signal: AbortSignal): Promise<void>;
  close(): void;
}

/** The connection ended after the last batch, which may have been lost with it: it has to be sent again. */
export class BatchBeforeInDoubt extends Error {}

/** An item as one line of JSON, without its end. */
export function lineOf(item: StreamItem): string {
  return item.event === undefined ? JSON.stringify({ head: item.head }) : jsonLineOf(item.event);
}
