import type { AuditEntry } from '../audit/audit-log.js';
import { changesBetween } from '../audit/domain/changes.js';
import type { ProjectSpec } from './domain/project-spec.js';
import type { ProjectRecord } from './domain/project.js';

/** What a specification and its version look like in an event. */
interface Applied {
  specVersion: number;
  spec: ProjectSpec;
}

/** The event of an applied specification; `secrets` are the fingerprints of the values that came with it, by component/name. */
export function appliedEvent(project: ProjectRecord, before: Applied | null, after: Applied, secrets: Record<string, string>): AuditEntry {
  return {
    action: before === null ? 'project.created' : 'project.applied',
    teamId: project.teamId,
    projectId: project.id,
    subject: { type: 'project', id: project.id, name: project.name },
    ...changesBetween(before ?? undefined, after),
    ...(Object.keys(secrets).length === 0 ? {} : { details: { secrets } }),
  };
}

/** The event of a project that is gone. */
export function deletedEvent(project: { id: string; teamId: string; name: string }): AuditEntry {
  return {
    action: 'project.deleted',
    teamId: project.teamId,
    projectId: project.id,
    subject: { type: 'project', id: project.id, name: project.name },
  };
}
