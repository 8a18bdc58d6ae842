import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** How far a stream has come, as whoever serves it needs to know. */
export interface LeasedStream {
  cursor: number;
  headSeq: number;
  /** Whether a signed head is due. */
  headDue: boolean;
  attempts: number;
}

/** A stream that cannot deliver. */
export interface FailingStream {
  name: string;
  since: Date;
  error: string;
}

const LEASE_SECONDS = 30;

/** The state of streams in the database: whoever holds the lease serves one, and any process can go on where another has ended. */
@Injectable()
export class StreamStates {
  constructor(private readonly dataSource: DataSource) {}

  async ensure(names: readonly string[]): Promise<void> {
    await this.dataSource.query('INSERT INTO audit_streams (name) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING', [names]);
  }

  /** Takes or keeps the lease; undefined while another process has it. */
  async lease(name: string, holder: string, headInterval: number): Promise<LeasedStream | undefined> {
    const [rows] = await this.dataSource.query<[LeasedStream[], number]>(
      `UPDATE audit_streams SET leased_by = $2, leased_until = now() + make_interval(secs => $3)
        WHERE name = $1 AND (leased_by = $2 OR leased_until IS NULL OR leased_until < now())
        RETURNING cursor::float8 AS cursor, head_seq::float8 AS "headSeq", attempts,
                  coalesce(head_at <= now() - make_interval(secs => $4), true) AS "headDue"`,
      [name, holder, LEASE_SECONDS, headInterval],
    );
    return rows[0];
  }

  async release(name: string, holder: string): Promise<void> {
    await this.dataSource.query('UPDATE audit_streams SET leased_until = NULL WHERE name = $1 AND leased_by = $2', [name, holder]);
  }

  /** Everything up to `cursor` has arrived, and the head of `headSeq` if there was one. */
  async delivered(name: string, holder: string, cursor: number, headSeq: number | undefined): Promise<void> {
    await this.dataSource.query(
      `UPDATE audit_streams SET cursor = $3, attempts = 0, failing_since = NULL, error = NULL,
              head_seq = coalesce($4, head_seq), head_at = CASE WHEN $4::bigint IS NULL THEN head_at ELSE now() END
        WHERE name = $1 AND leased_by = $2`,
      [name, holder, cursor, headSeq ?? null],
    );
  }

  /** Nothing has arrived. */
  async failed(name: string, holder: string, error: string): Promise<void> {
    await this.dataSource.query(
      `UPDATE audit_streams SET attempts = attempts + 1, failing_since = coalesce(failing_since, now()), error = $3
        WHERE name = $1 AND leased_by = $2`,
      [name, holder, error],
    );
  }

  /** Puts the cursor back, so that what is in doubt is sent again. */
  async rewind(name: string, holder: string, cursor: number): Promise<void> {
    await this.dataSource.query('UPDATE audit_streams SET cursor = least(cursor, $3) WHERE name = $1 AND leased_by = $2', [
      name,
      holder,
      cursor,
    ]);
  }

  /** Those among `names` that cannot deliver. */
  failing(names: readonly string[]): Promise<FailingStream[]> {
    return this.dataSource.query<FailingStream[]>(
      'SELECT name, failing_since AS since, error FROM audit_streams WHERE name = ANY($1) AND failing_since IS NOT NULL ORDER BY name',
      [names],
    );
  }

  /** The last event that all of `names` have had. */
  async slowest(names: readonly string[]): Promise<number> {
    if (names.length === 0) return Number.MAX_SAFE_INTEGER;
    const [row] = await this.dataSource.query<{ cursor: number | null }[]>(
      'SELECT CASE WHEN count(*) = $2 THEN min(cursor) ELSE 0 END::float8 AS cursor FROM audit_streams WHERE name = ANY($1)',
      [names, names.length],
    );
    return row?.cursor ?? 0;
  }
}
