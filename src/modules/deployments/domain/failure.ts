import type { ObservedAllocation } from '../../../link/messages.js';
import type { ComponentAction, Failure } from './deployment.js';

interface Mend {
  pattern: RegExp;
  fix: string;
}

const MENDS: readonly Mend[] = [
  {
    pattern: /EADDRINUSE|address already in use|port in use/i,
    fix: 'Another process holds the network port: `hithe plan` says who. Choose another with `listen`, or leave `listen` out.',
  },
  { pattern: /ENOSPC|no space left on device/i, fix: 'The disk of the node is full: free some space, then deploy again.' },
  {
    pattern: /MODULE_NOT_FOUND|Cannot find (?:module|package)/i,
    fix: 'A package is missing: add it to the dependencies of package.json, then deploy again.',
  },
  { pattern: /Missing script: "?start/i, fix: 'Add a "start" script to package.json, or a Procfile with a `web:` line.' },
  {
    pattern: /ECONNREFUSED|connection refused/i,
    fix: 'It could not reach another service: list that component in `needs`, and read its address from env.',
  },
  {
    pattern: /password authentication failed|WRONGPASS|NOAUTH/i,
    fix: 'The password is refused: read the address from the component that serves it, e.g. "${db.POSTGRES_URL}".',
  },
  {
    pattern: /SyntaxError|ReferenceError|TypeError/,
    fix: 'The program failed by itself: see the log lines, mend the code, and deploy again.',
  },
  { pattern: /EACCES|permission denied/i, fix: 'It wrote where it may not: components write to their own directory only.' },
];

const STEP_FIXES: Readonly<Record<string, string>> = {
  store: 'The software could not be installed: check that the node reaches its package mirrors, then deploy again.',
  'fetch-source': 'The source could not be fetched: check its address and ref, or upload it again.',
  setup: 'The set-up script of the port failed: see the log lines.',
  build: 'The build failed: run it on your machine, mend what the log lines say, and deploy again.',
  init: 'The data directory could not be prepared: see the log lines, and check the vars.',
};

/** The failure of a component from what its node says: exit code, signal, last log lines and the likely mend. */
export function failureOf(action: ComponentAction, step: string, observed: ObservedAllocation | undefined, message: string): Failure {
  const logTail = observed?.logTail ?? [];
  const fix = mendFor(observed?.step ?? step, observed, [message, ...logTail].join('\n'));
  return {
    component: action.component,
    step: observed?.state === 'failed' ? (observed.step ?? step) : step,
    ...(observed?.exit?.code === undefined ? {} : { exitCode: observed.exit.code }),
    ...(observed?.exit?.signal === undefined ? {} : { signal: observed.exit.signal }),
    message,
    logTail,
    ...(fix === undefined ? {} : { fix }),
  };
}

/** Adds the last lines of what was stopped because it was not well; its node sends them with the stop. */
export function withLastLines(failure: Failure, observed: ObservedAllocation | undefined): Failure {
  const logTail = observed?.logTail ?? [];
  if (failure.logTail.length > 0 || logTail.length === 0) return failure;
  const fix = mendFor(failure.step, undefined, [failure.message, ...logTail].join('\n'));
  return { ...failure, logTail, ...(fix === undefined ? {} : { fix }) };
}

function mendFor(step: string, observed: ObservedAllocation | undefined, text: string): string | undefined {
  const known = MENDS.find((mend) => mend.pattern.test(text));
  if (known !== undefined) return known.fix;
  if (observed?.exit?.signal === 'SIGKILL') return 'It was killed, most likely for lack of memory: give it more, or let it use less.';
  if (observed?.exit?.code === 127) return 'A command was not found: check the start line, and that the port brings what it runs.';
  if (observed?.exit?.code === 126) return 'A file is not executable: check its mode and its first line.';
  return STEP_FIXES[step] ?? 'See `hithe logs` of this component, mend the cause, and deploy again.';
}

/** How a process ended, in words. */
export function describeExit(observed: ObservedAllocation): string {
  if (observed.exit?.signal !== undefined) return `was ended by ${observed.exit.signal}`;
  if (observed.exit?.code !== undefined) return `exited with code ${observed.exit.code}`;
  return 'ended by itself';
}
