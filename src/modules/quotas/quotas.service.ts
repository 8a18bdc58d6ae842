import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Actor } from '../../auth/actor.js';
import type { Transaction } from '../../common/transaction.js';
import { TransactionRunner, managerOf } from '../../database/transaction-runner.js';
import { AuditLog } from '../audit/audit-log.js';
import { TeamsService } from '../teams/teams.service.js';
import { type EffectiveLimit, type Limits, QUOTA_RESOURCES, type QuotaResource } from './domain/quota.js';
import { QuotaDefaults, TeamQuota } from './quota.entities.js';
import { deployedBy, limitsOf, plannedBy } from './quota-figures.js';

/** One line of a team's quota. */
export interface QuotaLine extends EffectiveLimit {
  resource: QuotaResource;
  /** What the running releases have; disk: what was measured last. */
  used: number;
  /** What the specifications ask for, deployed or not; null where that cannot be planned. */
  planned: number | null;
}

/** Limits of teams and of the platform, for people who look at them or set them. */
@Injectable()
export class QuotasService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transactions: TransactionRunner,
    private readonly teams: TeamsService,
    private readonly audit: AuditLog,
  ) {}

  /** A team's limits, with what it uses and plans of each resource. */
  async ofTeam(actor: Actor, teamId: string): Promise<{ lines: QuotaLine[]; own: Limits }> {
    await this.teams.require(actor, teamId);
    const tx: Transaction = this.dataSource.manager;
    const [{ limits, own }, planned, deployed] = await Promise.all([limitsOf(tx, teamId), plannedBy(tx, teamId), deployedBy(tx, teamId)]);
    const used = { ...deployed, projects: planned.projects, disk: planned.disk };
    const lines = QUOTA_RESOURCES.map((resource) => ({
      resource,
      ...limits[resource],
      used: used[resource],
      planned: resource === 'disk' ? null : planned[resource],
    }));
    return { lines, own };
  }

  /** Replaces a team's own limits; what they leave out is the platform's. Stops nothing that runs. */
  async setOfTeam(actor: Actor, teamId: string, limits: Limits): Promise<void> {
    const team = await this.teams.require(actor, teamId, 'manage-quota');
    await this.transactions.run(async (tx) => {
      const manager = managerOf(tx);
      const before = await manager.findOneBy(TeamQuota, { teamId });
      await manager.upsert(TeamQuota, { teamId, limits, updatedAt: new Date() }, ['teamId']);
      await this.audit.record(tx, {
        action: 'quota.changed',
        teamId,
        subject: { type: 'team', id: teamId, name: team.slug },
        before: before?.limits ?? {},
        after: limits,
      });
    });
  }

  /** The limits of teams that have none of their own. */
  async defaults(): Promise<Limits> {
    return (await this.dataSource.manager.findOneBy(QuotaDefaults, { id: 1 }))?.limits ?? {};
  }

  /** Replaces them. */
  async setDefaults(limits: Limits): Promise<void> {
    await this.transactions.run(async (tx) => {
      const manager = managerOf(tx);
      const before = await manager.findOneBy(QuotaDefaults, { id: 1 });
      await manager.upsert(QuotaDefaults, { id: 1, limits, updatedAt: new Date() }, ['id']);
      await this.audit.record(tx, {
        action: 'quota-defaults.changed',
        subject: { type: 'platform', id: 'quota-defaults' },
        before: before?.limits ?? {},
        after: limits,
      });
    });
  }
}
