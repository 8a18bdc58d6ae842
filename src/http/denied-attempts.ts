import type { Request } from 'express';
import { DomainError } from '../common/domain-error.js';
import type { Problem } from './problem.js';

/** Under which team and thing a refusal is filed; services put it into a `DomainError`'s `details.audit`. It is never shown to the client. */
export interface DenialFile {
  teamId?: string;
  projectId?: string;
  subject?: { type: string; id: string; name?: string };
  actor?: { userId: string; email: string };
}

/** A request that was refused with 401 or 403. */
export interface DeniedAttempt {
  status: 401 | 403;
  code: string;
  method: string;
  path: string;
  /** The path with names in place of ids: `/api/v1/teams/:teamId`. */
  route: string;
  /** Whether the caller showed a credential at all. */
  credentialPresented: boolean;
  file: DenialFile;
}

/** Hears of every refused request before its answer leaves; the audit module provides it. Never throws. */
export abstract class DeniedAttempts {
  abstract note(attempt: DeniedAttempt): Promise<void>;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The attempt that this answer refuses; undefined when it refuses none, or one whose own module records it (log-ins). */
export function deniedAttemptOf(request: Request, problem: Problem, error: unknown): DeniedAttempt | undefined {
  const { status, code } = problem;
  if (status !== 401 && status !== 403) return undefined;
  // On a public route 401 speaks of what is in the body.
  if (status === 401 && (request as { publicRoute?: boolean }).publicRoute === true) return undefined;
  const path = request.originalUrl.split('?', 1)[0] ?? '';
  const { path: route } = (request.route ?? {}) as { path?: unknown };
  return {
    status,
    code,
    method: request.method,
    path,
    route: typeof route === 'string' ? route : path,
    credentialPresented: request.headers.authorization !== undefined,
    file: { ...fileOfPath(request), ...(error instanceof DomainError ? (error.details['audit'] as DenialFile | undefined) : {}) },
  };
}

function fileOfPath(request: Request): DenialFile {
  const { teamId, projectId } = request.params;
  return {
    ...(typeof teamId === 'string' && UUID.test(teamId) ? { teamId } : {}),
    ...(typeof projectId === 'string' && UUID.test(projectId) ? { projectId } : {}),
  };
}
