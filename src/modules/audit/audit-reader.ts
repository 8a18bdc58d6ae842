import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { AuditRecord } from './domain/audit-record.js';
import type { ChainPlace } from './domain/chain-check.js';

/** The columns of an `AuditRecord`, as the very texts that were hashed. */
export const RECORD_COLUMNS = `
  e.seq::float8 AS seq, e.id, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at,
  e.actor_kind AS "actorKind", e.actor_id AS "actorId", e.actor_email AS "actorEmail", e.session_id AS "sessionId",
  e.token_id AS "tokenId", e.part, e.address, e.request_id AS "requestId", e.action, e.outcome, e.team_id AS "teamId",
  e.project_id AS "projectId", e.subject_type AS "subjectType", e.subject_id AS "subjectId", e.subject_name AS "subjectName",
  e.before::text AS before, e.after::text AS after, e.details::text AS details,
  encode(e.previous_hash, 'hex') AS "previousHash", encode(e.hash, 'hex') AS hash`;

/** An archived stretch of the chain, by its ends. */
export interface ArchivedSegment {
  firstSeq: number;
  lastSeq: number;
  previousHash: string;
  lastHash: string;
  firstAt: Date;
  lastAt: Date;
  file: string;
  fileSha256: string;
  archivedAt: Date;
}

/** Reads the chain itself, for the platform's own work: which rows appear is up to the request context. */
@Injectable()
export class AuditReader {
  constructor(private readonly dataSource: DataSource) {}

  /** The next events after `seq`, oldest first, up to event `last`. */
  after(seq: number, limit: number, last = Number.MAX_SAFE_INTEGER): Promise<AuditRecord[]> {
    return this.dataSource.query<AuditRecord[]>(
      `SELECT ${RECORD_COLUMNS} FROM audit_events e WHERE e.seq > $1 AND e.seq <= $2 ORDER BY e.seq LIMIT $3`,
      [seq, last, limit],
    );
  }

  /** Number and hash only, also of events that may not be read: what proves a chain without telling anything. */
  links(seq: number, limit: number, last: number): Promise<(ChainPlace & { previousHash: string })[]> {
    return this.dataSource.query<(ChainPlace & { previousHash: string })[]>(
      `SELECT seq::float8 AS seq, encode(previous_hash, 'hex') AS "previousHash", encode(hash, 'hex') AS hash
         FROM audit_events WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3`,
      [seq, last, limit],
    );
  }

  /** The hashes of these events, as far as they are in the table. */
  async hashesOf(seqs: readonly number[]): Promise<Map<number, string>> {
    const rows = await this.dataSource.query<ChainPlace[]>(
      `SELECT seq::float8 AS seq, encode(hash, 'hex') AS hash FROM audit_events WHERE seq = ANY($1)`,
      [seqs],
    );
    return new Map(rows.map((row) => [row.seq, row.hash]));
  }

  /** The end of the chain, and which installation's it is. */
  async head(): Promise<ChainPlace & { installation: string }> {
    const [row] = await this.dataSource.query<(ChainPlace & { installation: string })[]>(
      `SELECT seq::float8 AS seq, encode(hash, 'hex') AS hash, installation_id AS installation FROM audit_head`,
    );
    if (row === undefined) throw new TypeError('The audit log has no head');
    return row;
  }

  /** Every archived segment, oldest first. */
  segments(): Promise<ArchivedSegment[]> {
    return this.dataSource.query<ArchivedSegment[]>(
      `SELECT first_seq::float8 AS "firstSeq", last_seq::float8 AS "lastSeq", encode(previous_hash, 'hex') AS "previousHash",
              encode(last_hash, 'hex') AS "lastHash", first_at AS "firstAt", last_at AS "lastAt", file,
              encode(file_sha256, 'hex') AS "fileSha256", archived_at AS "archivedAt"
         FROM audit_segments ORDER BY first_seq`,
    );
  }

  /** The number of the last event before this moment; 0 when there is none in the table. */
  async lastBefore(moment: Date): Promise<number> {
    const [row] = await this.dataSource.query<{ seq: number | null }[]>(
      'SELECT seq::float8 AS seq FROM audit_events WHERE at < $1 ORDER BY at DESC, seq DESC LIMIT 1',
      [moment],
    );
    return row?.seq ?? 0;
  }
}
