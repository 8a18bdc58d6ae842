import type { ComponentHealth } from './node-health.js';

/** Knows how the audit log is. The audit module provides it. */
export abstract class AuditHealth {
  abstract check(): Promise<ComponentHealth>;
}
