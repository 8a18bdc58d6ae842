import { Injectable } from '@nestjs/common';
import { asSystem } from '../common/request-context.js';
import { TransactionRunner } from '../database/transaction-runner.js';
import { type StandingRow, standingColumns, standingFrom } from '../modules/teams/standing.js';
import { AbilityFactory, type AppAbility } from './ability.js';
import type { Principal } from './actor.js';

/** A principal with what it may do. Shared between requests: never changed. */
export interface KnownPrincipal {
  principal: Principal;
  ability: AppAbility;
}

export interface SessionPrincipal extends KnownPrincipal {
  secondFactor: boolean;
}

interface Told extends StandingRow {
  email: string;
  platformAdmin: boolean;
}

/** All that abilities depend on, as one text. */
const TOLD = `(SELECT row_to_json(p)::text FROM (SELECT u.email, u.platform_admin AS "platformAdmin", ${standingColumns('u.id')}) AS p) AS told`;
const OF_SESSION = `
  SELECT s.second_factor AS "secondFactor", ${TOLD} FROM sessions s JOIN users u ON u.id = s.user_id
   WHERE s.id = $1 AND u.id = $2 AND s.revoked_at IS NULL AND u.disabled_at IS NULL`;
const OF_USER = `SELECT ${TOLD} FROM users u WHERE u.id = $1 AND u.disabled_at IS NULL`;

const MOST_REMEMBERED = 2_000;

/**
 * Who somebody is at this moment, in one statement for each request. What follows from an answer of the database is remembered
 * by the very text of the answer, so that rules are built once for it; the answer itself is asked for each time.
 */
@Injectable()
export class Principals {
  private readonly remembered = new Map<string, KnownPrincipal>();

  constructor(
    private readonly transactions: TransactionRunner,
    private readonly abilities: AbilityFactory,
  ) {}

  /** Null when the session has ended or is of somebody else, or the user is gone or disabled. */
  async ofSession(userId: string, sessionId: string): Promise<SessionPrincipal | null> {
    const [row] = await this.ask<{ told: string; secondFactor: boolean }>(OF_SESSION, [sessionId, userId]);
    return row === undefined ? null : { ...this.known(userId, row.told), secondFactor: row.secondFactor };
  }

  /** Null when the user is gone or disabled. */
  async ofUser(userId: string): Promise<KnownPrincipal | null> {
    const [row] = await this.ask<{ told: string }>(OF_USER, [userId]);
    return row === undefined ? null : this.known(userId, row.told);
  }

  private ask<T>(sql: string, parameters: unknown[]): Promise<T[]> {
    return asSystem('authentication', () => this.transactions.statement<T[]>(sql, parameters));
  }

  private known(userId: string, told: string): KnownPrincipal {
    const key = `${userId} ${told}`;
    const before = this.remembered.get(key);
    if (before !== undefined) return before;
    const { email, platformAdmin, ...row } = JSON.parse(told) as Told;
    const principal = { userId, email, platformAdmin, ...standingFrom(row) };
    const known = { principal, ability: this.abilities.for(principal) };
    const [oldest] = this.remembered.keys();
    if (this.remembered.size >= MOST_REMEMBERED && oldest !== undefined) this.remembered.delete(oldest);
    this.remembered.set(key, known);
    return known;
  }
}
