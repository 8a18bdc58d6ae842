import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { DomainError } from '../../common/domain-error.js';
import type { Transaction } from '../../common/transaction.js';
import { type Amounts, type Demand, NO_DEMAND, type Violation, violationsOf } from './domain/quota.js';
import { deployedBy, limitsOf, plannedBy, type TeamLimits } from './quota-figures.js';

/** A project with what its specification asks for. */
export interface QuotaRequest {
  teamId: string;
  /** Null while there is no such project. */
  projectId: string | null;
  demand: Demand;
}

/** Whether a change fits. `limited`: the team has any limit at all. */
export interface QuotaAnswer {
  team: string;
  limited: boolean;
  violations: Violation[];
}

const NOTE = `
  INSERT INTO project_demands (project_id, team_id, components, memory, cpu, listen_ports) VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (project_id) DO UPDATE SET components = EXCLUDED.components, memory = EXCLUDED.memory, cpu = EXCLUDED.cpu, listen_ports = EXCLUDED.listen_ports`;

/**
 * Holds teams to their quotas. What counts are the specifications that were applied: whatever was applied within the quota can be deployed.
 * A project may go on with what it runs, though a quota was lowered since.
 */
@Injectable()
export class QuotaGuard {
  constructor(private readonly dataSource: DataSource) {}

  /** For a plan: what would stand in the way at this moment. */
  async check(request: QuotaRequest): Promise<QuotaAnswer> {
    const tx = this.dataSource.manager;
    const found = await limitsOf(tx, request.teamId);
    if (!isLimited(found)) return { team: found.team, limited: false, violations: [] };
    return { team: found.team, limited: true, violations: await violations(tx, found, request) };
  }

  /**
   * Notes what the project asks for, or throws `QUOTA_EXCEEDED`. Until the transaction ends nobody else notes anything for the same team, so that
   * two requests at once cannot both take the last of it. `disk`: whether stored data matters; a specification alone stores none.
   */
  async reserve(tx: Transaction, request: QuotaRequest & { projectId: string }, { disk }: { disk: boolean }): Promise<void> {
    const { teamId, projectId, demand } = request;
    const found = await limitsOf(tx, teamId);
    if (isLimited(found)) {
      // Weaker than FOR UPDATE: rows that refer to the team may be written meanwhile.
      await tx.query('SELECT 1 FROM teams WHERE id = $1 FOR NO KEY UPDATE', [teamId]);
      const broken = (await violations(tx, found, request)).filter(({ resource }) => disk || resource !== 'disk');
      if (broken.length > 0) throw quotaExceeded(broken);
    }
    await tx.query(NOTE, [projectId, teamId, demand.components, demand.memory, demand.cpu, demand.listenPorts]);
  }
}

function isLimited({ limits }: TeamLimits): boolean {
  return Object.values(limits).some(({ limit }) => limit !== null);
}

async function violations(
  tx: Transaction,
  { team, limits }: TeamLimits,
  { teamId, projectId, demand }: QuotaRequest,
): Promise<Violation[]> {
  const others = await plannedBy(tx, teamId, projectId);
  const present = projectId === null ? NO_DEMAND : await deployedBy(tx, teamId, projectId);
  const before = plus(others, { ...present, projects: others.known ? 1 : 0 });
  return violationsOf({ team, limits, before, after: plus(others, { ...demand, projects: 1 }) });
}

function plus(others: Amounts, own: Demand & { projects: number }): Amounts {
  return {
    projects: others.projects + own.projects,
    components: others.components + own.components,
    memory: others.memory + own.memory,
    cpu: others.cpu + own.cpu,
    listenPorts: others.listenPorts + own.listenPorts,
    disk: others.disk,
  };
}

function quotaExceeded(broken: Violation[]): DomainError {
  const [first] = broken;
  return new DomainError('quota', 'QUOTA_EXCEEDED', broken.map(({ message }) => message).join(' '), {
    details: { resources: broken.map(({ resource }) => resource) },
    ...(first === undefined ? {} : { fix: first.fix }),
  });
}
