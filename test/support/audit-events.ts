import { DataSource } from 'typeorm';
import { asSystem } from '../../src/common/request-context.js';
import type { TestApplication } from './application.js';

/** An event of the audit log, as far as tests look at one. */
export interface RecordedEvent {
  action: string;
  outcome: string;
  actor: string | null;
  projectId: string | null;
  subjectId: string;
  before: unknown;
  after: unknown;
  details: Record<string, unknown> | null;
}

/** The events of a team, oldest first, as they are in the database. */
export function eventsOf(application: TestApplication, teamId: string): Promise<RecordedEvent[]> {
  return asSystem('test', () =>
    application.app.get(DataSource).query<RecordedEvent[]>(
      `SELECT action, outcome, actor_email AS actor, project_id AS "projectId", subject_id AS "subjectId", before, after, details
         FROM audit_events WHERE team_id = $1 ORDER BY seq`,
      [teamId],
    ),
  );
}
