export const OUTCOMES = ['success', 'denied', 'failed'] as const;
export type Outcome = (typeof OUTCOMES)[number];
export const ACTOR_KINDS = ['user', 'service', 'system', 'anonymous'] as const;
export type ActorKind = (typeof ACTOR_KINDS)[number];

/** What somebody did, or tried to do. Who, from where and by which request comes from the request context. */
export interface AuditEntry {
  /** `<noun>.<past tense>`: `project.applied`, `user.logged-in`, `member.role-changed`. docs/audit.md lists all. */
  action: string;
  /** Default: success. */
  outcome?: Outcome;
  /** Whose event it is; null or absent: the platform's, which no team sees. */
  teamId?: string | null;
  projectId?: string | null;
  subject: { type: string; id: string; name?: string };
  /** JSON; only what changed (`changesBetween`), and secrets only as `AuditLog.fingerprint`. */
  before?: unknown;
  after?: unknown;
  details?: Record<string, unknown>;
  /** Only where the context has no actor yet: log-ins. */
  actor?: { userId: string; email: string };
}
