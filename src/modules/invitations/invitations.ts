import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, MoreThan, Repository } from 'typeorm';
import { randomToken, sha256 } from '../../common/random-token.js';
import type { TeamRole } from '../../auth/actor.js';
import { asSystem } from '../../common/request-context.js';
import type { Transaction } from '../../common/transaction.js';
import { managerOf } from '../../database/transaction-runner.js';
import { type Page, type PageQuery, pageOf } from '../../http/pagination.js';
import { normalEmail } from '../users/user-directory.js';
import { Invitation } from './invitation.entity.js';

const PREFIX = 'hithe_in_';

export interface NewInvitation {
  /** Null: to the platform. */
  teamId: string | null;
  role: TeamRole | null;
  email: string;
  invitedBy: string;
  days: number;
}

/** Keeps invitations: open until accepted, revoked or expired; of one address in one team, only the newest. */
@Injectable()
export class Invitations {
  constructor(@InjectRepository(Invitation) private readonly invitations: Repository<Invitation>) {}

  /** Stores an invitation in the place of an open one; the token is in clear for the last time. */
  async add(tx: Transaction, wanted: NewInvitation): Promise<{ invitation: Invitation; token: string }> {
    const manager = managerOf(tx);
    const token = randomToken(PREFIX);
    const email = normalEmail(wanted.email);
    const team = wanted.teamId === null ? { teamId: IsNull() } : { teamId: wanted.teamId };
    await manager.update(Invitation, { ...team, email, ...open() }, { revokedAt: () => 'now()' });
    const invitation = manager.create(Invitation, {
      ...wanted,
      email,
      tokenHash: sha256(token),
      expiresAt: new Date(Date.now() + wanted.days * 24 * 60 * 60 * 1000),
      acceptedAt: null,
      revokedAt: null,
    });
    return { invitation: await manager.save(invitation), token };
  }

  /** The open invitations to a team, or with null to the platform; newest first. */
  list(teamId: string | null, page: PageQuery): Promise<Page<Invitation>> {
    const query = this.invitations.createQueryBuilder('invitation').where({ ...open(), teamId: teamId ?? IsNull() });
    return pageOf(query, page, 'DESC');
  }

  /** The open invitation of that id, as far as the caller's context reaches. */
  find(invitationId: string): Promise<Invitation | null> {
    return this.invitations.findOneBy({ id: invitationId, ...open() });
  }

  /** The open invitation of a token. */
  findByToken(token: string): Promise<Invitation | null> {
    return asSystem('invitations', () => this.invitations.findOneBy({ tokenHash: sha256(token), ...open() }));
  }

  /** All open invitations of an address. */
  openFor(email: string): Promise<Invitation[]> {
    return asSystem('invitations', () => this.invitations.findBy({ email: normalEmail(email), ...open() }));
  }

  /** Closes an open invitation; false when it is not open any more. */
  async close(tx: Transaction, invitationId: string, how: 'acceptedAt' | 'revokedAt'): Promise<boolean> {
    const { affected } = await managerOf(tx).update(Invitation, { id: invitationId, ...open() }, { [how]: () => 'now()' });
    return affected === 1;
  }

  /** Drops what was closed or has expired a month ago. */
  async forgetOld(): Promise<void> {
    await this.invitations.query(`DELETE FROM invitations WHERE least(accepted_at, revoked_at, expires_at) < now() - interval '30 days'`);
  }
}

function open(): {
  acceptedAt: ReturnType<typeof IsNull>;
  revokedAt: ReturnType<typeof IsNull>;
  expiresAt: ReturnType<typeof MoreThan<Date>>;
} {
  return { acceptedAt: IsNull(), revokedAt: IsNull(), expiresAt: MoreThan(new Date()) };
}
