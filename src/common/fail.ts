import { DomainError } from './domain-error.js';

/** Ends a command that cannot go on: says why and what to do on standard error, and exits with 1. */
export function fail(error: unknown): void {
  const lines = [`hithe: ${error instanceof Error ? error.message : String(error)}`];
  if (error instanceof DomainError) {
    if (error.fix !== undefined) lines.push(error.fix);
  } else if (error instanceof Error && error.stack !== undefined) {
    lines.push(error.stack);
  }
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(1);
}
