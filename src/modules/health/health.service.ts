import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { messageOf } from '../../common/thrown.js';
import { Notifications } from '../../database/notifications.js';
import { JobQueue } from '../../queue/job-queue.js';
import { AuditHealth } from './audit-health.js';
import { type ComponentHealth, NodeHealth } from './node-health.js';

export const HEALTH_PARTS = ['database', 'queue', 'agent', 'isolation', 'audit'] as const;
export type HealthPart = (typeof HEALTH_PARTS)[number];

export interface PlatformHealth {
  status: 'ok' | 'degraded';
  parts: Record<HealthPart, ComponentHealth>;
}

const PROBE_TIMEOUT_MS = 3_000;

/** Tells the truth about the platform, by asking each part now. */
@Injectable()
export class HealthService implements OnModuleDestroy {
  private stopping = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly notifications: Notifications,
    private readonly queue: JobQueue,
    private readonly modules: ModuleRef,
  ) {}

  /** All parts, each probed at the same time and given up after three seconds. */
  async report(): Promise<PlatformHealth> {
    const nodes = this.modules.get<NodeHealth>(NodeHealth, { strict: false });
    const audit = this.modules.get<AuditHealth>(AuditHealth, { strict: false });
    const [database, queue, agent, isolation, auditLog] = await Promise.all([
      probe(() => this.database()),
      probe(() => this.queueHealth()),
      probe(() => nodes.agent()),
      probe(() => nodes.isolation()),
      probe(() => audit.check()),
    ]);
    const parts = { database, queue, agent, isolation, audit: auditLog };
    return { status: Object.values(parts).every((part) => part.ok) ? 'ok' : 'degraded', parts };
  }

  /** Whether this process can answer requests: it is not stopping, and its database and queue answer. */
  async ready(): Promise<ComponentHealth> {
    if (this.stopping) return { ok: false, message: 'This process is stopping.' };
    const parts = await Promise.all([probe(() => this.database()), probe(() => this.queueHealth())]);
    return parts.find((part) => !part.ok) ?? { ok: true, message: 'Ready.' };
  }

  onModuleDestroy(): void {
    this.stopping = true;
  }

  private async database(): Promise<ComponentHealth> {
    await this.dataSource.query('SELECT 1');
    if (!this.notifications.connected)
      return {
        ok: false,
        message: 'Queries are answered, but the notification connection is lost.',
        fix: 'It reconnects by itself; otherwise look at max_connections and at the log of PostgreSQL.',
      };
    return { ok: true, message: 'PostgreSQL answers.' };
  }

  private async queueHealth(): Promise<ComponentHealth> {
    const { ok, message } = await this.queue.health();
    return ok ? { ok, message } : { ok, message, fix: 'Look at control-plane.log; a restart of the control plane is safe.' };
  }
}

async function probe(ask: () => Promise<ComponentHealth>): Promise<ComponentHealth> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<ComponentHealth>((resolve) => {
    timer = setTimeout(() => {
      resolve({ ok: false, message: `No answer within ${PROBE_TIMEOUT_MS / 1000} s.`, fix: 'Look at control-plane.log.' });
    }, PROBE_TIMEOUT_MS);
  });
  try {
    return await Promise.race([ask(), late]);
  } catch (error) {
    return { ok: false, message: messageOf(error), fix: 'Look at control-plane.log.' };
  } finally {
    clearTimeout(timer);
  }
}
