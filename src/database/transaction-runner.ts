import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { DatabaseError, type Pool } from 'pg';
import { DataSource, type EntityManager, QueryFailedError } from 'typeorm';
import type { Transaction } from '../common/transaction.js';
import { sqlState } from './sql-state.js';

export { sqlState };

export interface TransactionOptions {
  /** The database's own when absent: READ COMMITTED, unless its owner wants more. */
  isolation?: 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE';
}

const SERIALIZATION_FAILURE = '40001';
const DEADLOCK_DETECTED = '40P01';
const MOST_ATTEMPTS = 5;
const FIRST_BACKOFF_MS = 10;

/**
 * Runs work inside one database transaction: all of it commits, or none. When PostgreSQL ends a transaction for the
 * sake of another one (serialization failure, deadlock), the whole `work` runs again, so it must touch nothing
 * outside of `tx`.
 */
@Injectable()
export class TransactionRunner {
  constructor(private readonly dataSource: DataSource) {}

  run<T>(work: (tx: EntityManager) => Promise<T>, { isolation }: TransactionOptions = {}): Promise<T> {
    // Naming the level costs a round trip of its own.
    const whole = (tx: EntityManager): Promise<T> => withLastActs(tx, work);
    return retried(() => (isolation === undefined ? this.dataSource.transaction(whole) : this.dataSource.transaction(isolation, whole)));
  }

  /** Runs one statement, which is a transaction by itself: four round trips fewer. It runs again like `run`'s work. */
  statement<T>(sql: string, parameters: unknown[]): Promise<T> {
    return retried(() => this.ask<T>(sql, parameters));
  }

  /**
   * As `DataSource.query`, straight from its pool: a query runner with its broadcasts for the one statement costs as much as what the driver does.
   * Whose rows it reaches is up to the connection (`ContextualClient`), here as there.
   */
  private async ask<T>(sql: string, parameters: unknown[]): Promise<T> {
    const { master } = this.dataSource.driver as unknown as { master: Pool };
    const client = await master.connect();
    let lost = false;
    const lose = (): void => {
      lost = true;
    };
    // Nobody else listens to a connection that is not idle: its loss would end the process.
    client.on('error', lose);
    try {
      const { command, rows, rowCount } = await client.query(sql, parameters);
      return (command === 'UPDATE' || command === 'DELETE' ? [rows, rowCount] : rows) as T;
    } catch (error) {
      // The server's word before it hangs up, or none: the connection's end may not have been heard of yet.
      lost ||= !(error instanceof DatabaseError && error.severity === 'ERROR');
      throw error instanceof Error ? new QueryFailedError(sql, parameters, error) : error;
    } finally {
      client.removeListener('error', lose);
      client.release(lost);
    }
  }
}

/** What each open transaction does last. */
const lastActs = new WeakMap<Transaction, (() => Promise<void>)[]>();

/** Puts `act` off until `tx` is about to commit, for locks that everybody waits for; at once when `TransactionRunner` did not begin it. */
export async function beforeCommit(tx: Transaction, act: () => Promise<void>): Promise<void> {
  const acts = lastActs.get(tx);
  if (acts === undefined) await act();
  else acts.push(act);
}

async function withLastActs<T>(tx: EntityManager, work: (tx: EntityManager) => Promise<T>): Promise<T> {
  const acts: (() => Promise<void>)[] = [];
  lastActs.set(tx, acts);
  const result = await work(tx);
  // An act may ask for another one.
  for (let act = acts.shift(); act !== undefined; act = acts.shift()) await act();
  lastActs.delete(tx);
  return result;
}

async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= MOST_ATTEMPTS || !isRetryable(error)) throw error;
      await delay(FIRST_BACKOFF_MS * 2 ** attempt * (0.5 + Math.random()));
    }
  }
}

/** The entity manager behind a `Transaction`; for persistence classes only. */
export function managerOf(tx: Transaction): EntityManager {
  return tx as EntityManager;
}

/** Whether `error` is a violation of the named constraint, e.g. `uq_users_email`. */
export function violates(error: unknown, constraint: string): boolean {
  if (typeof error !== 'object' || error === null) return false;
  if ('driverError' in error) return violates(error.driverError, constraint);
  return 'constraint' in error && error.constraint === constraint;
}

function isRetryable(error: unknown): boolean {
  const state = sqlState(error);
  return state === SERIALIZATION_FAILURE || state === DEADLOCK_DETECTED;
}
