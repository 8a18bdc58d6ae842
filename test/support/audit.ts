import { DataSource } from 'typeorm';
import { asSystem } from '../../src/common/request-context.js';
import type { TestApplication } from './application.js';

export interface AuditRow {
  action: string;
  outcome: string;
  actor_email: string | null;
  team_id: string | null;
  subject_name: string | null;
  details: Record<string, unknown> | null;
}

/** The events about a subject, by its id, oldest first. */
export function auditOf({ app }: TestApplication, subjectId: string): Promise<AuditRow[]> {
  return asSystem('test', () =>
    app
      .get(DataSource)
      .query<AuditRow[]>(
        'SELECT action, outcome, actor_email, team_id, subject_name, details FROM audit_events WHERE subject_id = $1 ORDER BY seq',
        [subjectId],
      ),
  );
}
