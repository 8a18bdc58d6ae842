import { HitheApiError, HitheConnectionError } from '@hithe/client';
import { CliError, type PlacedFault } from './cli-error.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import type { Io } from './io.js';
import { sanitizeLine } from './ui/sanitize.js';
import { type Colors, colorsFor } from './ui/style.js';

/** An error as it is shown and as it is written with `--json`. */
export interface ErrorReport {
  exitCode: ExitCode;
  code: string;
  message: string;
  fix?: string;
  faults?: PlacedFault[];
  requestId?: string;
}

/** Describes whatever a command threw: what happened, where, and the next command. */
export function reportOf(error: unknown): ErrorReport {
  if (error instanceof CliError) {
    return {
      exitCode: error.exitCode,
      code: error.code,
      message: error.message,
      ...(error.fix === undefined ? {} : { fix: error.fix }),
      ...(error.faults.length === 0 ? {} : { faults: error.faults }),
    };
  }
  if (error instanceof HitheApiError) return reportOfApiError(error);
  if (error instanceof HitheConnectionError) {
    return {
      exitCode: EXIT.unavailable,
      code: 'UNREACHABLE',
      message: error.message,
      fix: 'Check that Hithe runs there (npm start), or choose another server: hithe login --server URL.',
    };
  }
  return { exitCode: EXIT.failed, code: 'UNEXPECTED', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

function reportOfApiError({ problem, message }: HitheApiError): ErrorReport {
  const fix = problem.fix ?? (problem.status === 401 ? 'hithe login' : undefined);
  const faults = (problem.errors ?? []).map((fault) => ({
    place: fault.path,
    message: fault.message,
    ...(fault.fix === undefined ? {} : { fix: fault.fix }),
  }));
  return {
    exitCode: exitCodeOf(problem.status),
    code: problem.code,
    message,
    ...(fix === undefined ? {} : { fix }),
    ...(faults.length === 0 ? {} : { faults }),
    ...(problem.requestId === undefined || problem.status < 500 ? {} : { requestId: problem.requestId }),
  };
}

/** The exit code for an HTTP status. */
export function exitCodeOf(status: number): ExitCode {
  switch (status) {
    case 401:
      return EXIT.notLoggedIn;
    case 403:
      return EXIT.forbidden;
    case 404:
      return EXIT.notFound;
    case 409:
    case 412:
      return EXIT.conflict;
    case 429:
    case 502:
    case 503:
    case 504:
      return EXIT.unavailable;
    default:
      return status >= 400 && status < 500 ? EXIT.usage : EXIT.failed;
  }
}

/** Writes an error to the standard error and returns the exit code. */
export function writeError(io: Io, error: unknown, json: boolean): ExitCode {
  const report = reportOf(error);
  io.stderr.write(json ? `${JSON.stringify({ error: report })}\n` : textOf(report, colorsFor(io.stderr, io.env)));
  return report.exitCode;
}

function textOf(report: ErrorReport, colors: Colors): string {
  const lines = [`${colors.red(colors.bold('error:'))} ${safe(report.message)}`];
  for (const fault of report.faults ?? []) {
    lines.push(`  ${colors.bold(safe(fault.place === '' ? '(top)' : fault.place))}: ${safe(fault.message)}`);
    if (fault.excerpt !== undefined) lines.push(...fault.excerpt.split('\n').map((line) => `    ${colors.dim(sanitizeLine(line, false))}`));
    if (fault.fix !== undefined) lines.push(`    ${colors.cyan('mend:')} ${safe(fault.fix)}`);
  }
  if (report.fix !== undefined) lines.push(`${colors.cyan('next:')} ${safe(report.fix)}`);
  if (report.requestId !== undefined) lines.push(colors.dim(`request ${report.requestId}`));
  return `${lines.join('\n')}\n`;
}

function safe(text: string): string {
  return text
    .split('\n')
    .map((line) => sanitizeLine(line, false))
    .join('\n');
}
