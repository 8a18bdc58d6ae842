import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { asSystem } from '../../common/request-context.js';
import { Envelopes } from '../../vault/envelopes.js';
import { type SealedColumn, sealedColumns } from '../../vault/sealed-columns.js';

const BATCH = 200;
/** The key id of an envelope; of one of the first format, which has none, an empty text. */
const KEY_ID = (column: string): string =>
  `CASE WHEN get_byte(${column}, 0) = 1 THEN '' ELSE encode(substring(${column} FROM 2 FOR 16), 'hex') END`;

/** Works on every column of envelopes, whoever's it is. */
@Injectable()
export class SealedRows {
  constructor(
    private readonly dataSource: DataSource,
    private readonly envelopes: Envelopes,
  ) {}

  /** How many rows each platform key wraps. Key `''`: rows of the first format. */
  async countByKey(): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const { table, column } of sealedColumns()) {
      const rows = await this.query<{ key: string; count: string }[]>(
        `SELECT ${KEY_ID(column)} AS key, count(*) AS count FROM ${table} WHERE ${column} IS NOT NULL GROUP BY 1`,
      );
      for (const { key, count } of rows) counts.set(key, (counts.get(key) ?? 0) + Number(count));
    }
    return counts;
  }

  /**
   * Wraps the data keys of all rows by the active key, batch by batch, and says how many there were. What is done stays done when it is cut
   * short; a row that somebody changes meanwhile is theirs. Throws at its end when a row could not be opened: the others are done.
   */
  async rewrapAll(activeKeyId: string): Promise<number> {
    let done = 0;
    const failures: unknown[] = [];
    for (const column of sealedColumns()) {
      for (let after = ''; ;) {
        const batch = await this.batch(column, activeKeyId, after);
        for (const row of batch) {
          try {
            await this.rewrap(column, row);
            done += 1;
          } catch (error) {
            failures.push(error);
          }
        }
        const last = batch.at(-1);
        if (last === undefined) break;
        after = last.key;
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, `${failures.length} rows cannot be opened by any platform key`);
    return done;
  }

  private batch({ table, column, key }: SealedColumn, activeKeyId: string, after: string): Promise<SealedRow[]> {
    return this.query<SealedRow[]>(
      `SELECT ${key}::text AS key, ${column} AS sealed FROM ${table}
       WHERE ${column} IS NOT NULL AND get_byte(${column}, 0) <> 1 AND encode(substring(${column} FROM 2 FOR 16), 'hex') <> $1
         AND ${key}::text > $2 COLLATE "C"
       ORDER BY ${key}::text COLLATE "C" LIMIT ${BATCH}`,
      [activeKeyId, after],
    );
  }

  private async rewrap({ table, column, key }: SealedColumn, row: SealedRow): Promise<void> {
    await this.query(`UPDATE ${table} SET ${column} = $1 WHERE ${key}::text = $2 AND ${column} = $3`, [
      await this.envelopes.rewrap(row.sealed),
      row.key,
      row.sealed,
    ]);
  }

  /** Rows of all teams: by the platform itself. */
  private query<T>(sql: string, parameters: unknown[] = []): Promise<T> {
    return asSystem('platform-keys', () => this.dataSource.query<T>(sql, parameters));
  }
}

interface SealedRow {
  key: string;
  sealed: Buffer;
}
