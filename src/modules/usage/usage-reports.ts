import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../common/transaction.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import type { UsageReport } from '../../link/messages.js';

/** A row when the report is news; none when it, or a later one of its stream, was counted before. */
const NEWS = `
  INSERT INTO usage_streams AS s (node_id, stream, sequence) VALUES ($1, $2, $3)
  ON CONFLICT (node_id, stream) DO UPDATE SET sequence = EXCLUDED.sequence, updated_at = now() WHERE s.sequence < EXCLUDED.sequence
  RETURNING sequence`;

const ENTRIES = `
  SELECT t.id AS team_id, t.slug AS team, e.*
  FROM jsonb_to_recordset($1) AS e (tenant int, "projectId" uuid, project text, component text, day date, "cpuSeconds" float8,
    "memoryByteSeconds" float8, "storedByteSeconds" float8, "storedMostBytes" int8, stored jsonb)
  JOIN teams t ON t.number = e.tenant`;

// In the order of the key, so that reports of two nodes that name the same rows wait for each other instead of ending in a deadlock.
const ADD = `
  INSERT INTO usage_daily AS u (team_id, day, project_id, component, team, project, cpu_seconds, memory_byte_seconds, stored_byte_seconds, stored_most_bytes)
  SELECT team_id, day, "projectId", component, min(team), min(project), sum("cpuSeconds"), sum("memoryByteSeconds"), sum("storedByteSeconds"), max("storedMostBytes")
  FROM (${ENTRIES}) entries GROUP BY team_id, day, "projectId", component ORDER BY team_id, day, "projectId", component
  ON CONFLICT (team_id, day, project_id, component) DO UPDATE SET
    team = EXCLUDED.team, project = EXCLUDED.project,
    cpu_seconds = u.cpu_seconds + EXCLUDED.cpu_seconds,
    memory_byte_seconds = u.memory_byte_seconds + EXCLUDED.memory_byte_seconds,
    stored_byte_seconds = u.stored_byte_seconds + EXCLUDED.stored_byte_seconds,
    stored_most_bytes = greatest(u.stored_most_bytes, EXCLUDED.stored_most_bytes)`;

const STORED = `
  INSERT INTO component_storage AS c (project_id, component, team_id, bytes, measured_at)
  SELECT DISTINCT ON (p.id, e.component) p.id, e.component, p.team_id, (e.stored->>'bytes')::int8, (e.stored->>'at')::timestamptz
  FROM (${ENTRIES}) e JOIN projects p ON p.id = e."projectId" AND p.team_id = e.team_id
  WHERE e.stored IS NOT NULL ORDER BY p.id, e.component, (e.stored->>'at')::timestamptz DESC
  ON CONFLICT (project_id, component) DO UPDATE SET bytes = EXCLUDED.bytes, measured_at = EXCLUDED.measured_at
    WHERE c.measured_at <= EXCLUDED.measured_at`;

/** Adds up what agents report. Each report counts once, however often it comes. */
@Injectable()
export class UsageReports {
  constructor(private readonly transactions: TransactionRunner) {}

  /** Counts a report of a node, or nothing when it was counted before. Resolves when it is stored. */
  async record(nodeId: string, report: UsageReport): Promise<void> {
    await this.transactions.run(async (tx: Transaction) => {
      const news = await tx.query<unknown[]>(NEWS, [nodeId, report.stream, report.sequence]);
      if (news.length === 0) return;
      const entries = [JSON.stringify(report.entries)];
      await tx.query(ADD, entries);
      await tx.query(STORED, entries);
    });
  }
}
