import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { type Actor, isAtLeast, roleIn } from '../../../auth/actor.js';
import { Reauthentication } from '../../../auth/factors/reauthentication.js';
import { DomainError, notFound } from '../../../common/domain-error.js';
import { TransactionRunner } from '../../../database/transaction-runner.js';
import { type Page, type PageQuery, pageOf } from '../../../http/pagination.js';
import { AuditLog } from '../../audit/audit-log.js';
import { UserDirectory } from '../../users/user-directory.js';
import { BrokenGlass } from '../team.entity.js';
import { TeamsService } from '../teams.service.js';

/** A case of broken glass, with the address of who broke it. */
export interface BreakGlassCase {
  row: BrokenGlass;
  email: string;
}

const MINUTE_MS = 60_000;

/** For emergencies: a platform administrator gets the table's break-glass rights on one team, for a time and in the open. */
@Injectable()
export class BreakGlassService {
  constructor(
    @InjectRepository(BrokenGlass) private readonly cases: Repository<BrokenGlass>,
    private readonly teams: TeamsService,
    private readonly users: UserDirectory,
    private readonly transactions: TransactionRunner,
    private readonly audit: AuditLog,
    private readonly reauthentication: Reauthentication,
  ) {}

  /** Breaks the glass, after a fresh proof of who asks. The rights are there with the next request; each use of them is an event of the team's with the id of the case. */
  async break(actor: Actor, teamId: string, request: { reason: string; minutes: number }): Promise<BreakGlassCase> {
    const team = await this.teams.require(actor, teamId, 'break-glass');
    await this.reauthentication.require(actor);
    const row = await this.transactions.run(async (tx) => {
      const expiresAt = new Date(Date.now() + request.minutes * MINUTE_MS);
      const made = await tx.save(
        tx.create(BrokenGlass, { teamId, userId: actor.userId, reason: request.reason, expiresAt, endedAt: null }),
      );
      await this.audit.record(tx, {
        action: 'access.broken-glass',
        teamId,
        subject: { type: 'team', id: teamId, name: team.name },
        after: { reason: request.reason, expiresAt: expiresAt.toISOString() },
        details: { breakGlassId: made.id },
      });
      return made;
    });
    return { row, email: actor.email };
  }

  /** All cases of a team, newest first: for its owners and admins, and for platform administrators. */
  async list(actor: Actor, teamId: string, page: PageQuery): Promise<Page<BreakGlassCase>> {
    await this.teams.require(actor, teamId);
    const role = roleIn(actor, teamId);
    if (!actor.platformAdmin && (role === undefined || !isAtLeast(role, 'admin'))) throw notYours(teamId);
    const found = await pageOf(this.cases.createQueryBuilder('case').where({ teamId }), page, 'DESC');
    const emails = await this.users.emailsOf(found.items.map((row) => row.userId));
    return { ...found, items: found.items.map((row) => ({ row, email: emails.get(row.userId) ?? '' })) };
  }

  /** Ends the case before its time. Whoever broke the glass may, and so may the team's owners and every platform administrator. */
  async end(actor: Actor, teamId: string, caseId: string): Promise<void> {
    await this.teams.require(actor, teamId);
    if (!actor.platformAdmin && roleIn(actor, teamId) !== 'owner') throw notYours(teamId);
    await this.transactions.run(async (tx) => {
      const row = await tx.findOne(BrokenGlass, { where: { id: caseId, teamId }, lock: { mode: 'pessimistic_write' } });
      if (!row) throw notFound('break-glass case', caseId);
      if (row.endedAt !== null || row.expiresAt <= new Date()) return;
      row.endedAt = new Date();
      await tx.save(row);
      await this.audit.record(tx, {
        action: 'access.glass-mended',
        teamId,
        subject: { type: 'team', id: teamId },
        details: { breakGlassId: row.id },
      });
    });
  }
}

function notYours(teamId: string): DomainError {
  return new DomainError(
    'forbidden',
    'ACTION_FORBIDDEN',
    'Cases of broken glass are for the owners of the team and for platform administrators.',
    {
      fix: 'Ask an owner of the team.',
      details: { audit: { teamId } },
    },
  );
}
