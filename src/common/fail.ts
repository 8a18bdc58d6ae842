import { DomainError } from './domain-error.js';
import { messageOf, stackOf } from './thrown.js';

/** Ends a command that cannot go on: says why and what to do on standard error, and exits with 1. */
export function fail(error: unknown): void {
  const lines = [`hithe: ${messageOf(error)}`];
  if (error instanceof DomainError) {
    if (error.fix !== undefined) lines.push(error.fix);
  } else {
    lines.push(stackOf(error));
  }
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exit(1);
}
