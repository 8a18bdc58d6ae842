import type { AuditEntry } from '../audit/audit-log.js';
import type { Deployment } from './deployment.entity.js';
import type { Decision } from './domain/situation.js';

type Known = Pick<Deployment, 'id' | 'projectId' | 'teamId' | 'project' | 'kind' | 'release' | 'scope' | 'purge' | 'requestedBy'>;

/** The event of a deployment that somebody asked for. */
export function requestedEvent(deployment: Known): AuditEntry {
  const { kind, release, scope, purge } = deployment;
  return {
    ...eventOf(deployment, 'deployment.requested'),
    details: {
      kind,
      ...(release === null ? {} : { release }),
      ...(scope.length === 0 ? {} : { components: scope }),
      ...(purge ? { purge } : {}),
    },
  };
}

/** The event of somebody's wish to turn a deployment back. */
export function cancelRequestedEvent(deployment: Known): AuditEntry {
  return { ...eventOf(deployment, 'deployment.cancel-requested'), details: { kind: deployment.kind } };
}

/** The event of a deployment's end, which names who had asked for it. */
export function endedEvent(deployment: Known, decision: Pick<Decision, 'state' | 'failure'>): AuditEntry {
  const { kind, release, requestedBy } = deployment;
  const { component, step, exitCode } = decision.failure ?? {};
  return {
    ...eventOf(deployment, `deployment.${decision.state.replaceAll('_', '-')}`),
    outcome: decision.state === 'succeeded' || decision.state === 'cancelled' ? 'success' : 'failed',
    // No message of a component: what programs print may hold anything.
    details: { kind, ...(release === null ? {} : { release }), requestedBy, ...(decision.failure ? { component, step, exitCode } : {}) },
  };
}

function eventOf(deployment: Known, action: string): AuditEntry {
  const { id, teamId, projectId, project } = deployment;
  return { action, teamId, projectId, subject: { type: 'deployment', id, name: project } };
}
