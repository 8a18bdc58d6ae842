import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditHealth } from '../health/audit-health.js';
import type { ComponentHealth } from '../health/node-health.js';
import { AuditHeads } from './audit-heads.js';
import { AuditStreams } from './streams/audit-streams.js';

/** Whether the log can be written, still has what was signed, and reaches its streams. */
@Injectable()
export class AuditLogHealth extends AuditHealth {
  constructor(
    private readonly dataSource: DataSource,
    private readonly heads: AuditHeads,
    private readonly streams: AuditStreams,
  ) {
    super();
  }

  override async check(): Promise<ComponentHealth> {
    const [row] = await this.dataSource.query<{ writable: boolean }[]>(
      `SELECT has_any_column_privilege('audit_events', 'INSERT') AS writable`,
    );
    if (row?.writable !== true)
      return {
        ok: false,
        message: 'The audit log cannot be written: every change is refused.',
        fix: 'Run the bootstrap again, which grants what is missing.',
      };
    if (this.heads.alarm !== undefined) return { ok: false, message: this.heads.alarm, fix: "Run 'hithe audit verify'." };
    const failing = await this.streams.failing();
    if (failing.length === 0) return { ok: true, message: 'Every change is recorded.' };
    const names = failing.map(({ name, since }) => `"${name}" since ${since.toISOString()}`).join(', ');
    return { ok: false, message: `Events do not reach ${names}. They wait.`, fix: 'Look at the far end, and at control-plane.log.' };
  }
}
