import { EXIT, type ExitCode } from './exit-codes.js';

/** One fault of a larger input, placed in a file when that is known. */
export interface PlacedFault {
  /** `hithe.yaml:12:5`, or a dotted path. */
  place: string;
  message: string;
  fix?: string;
  /** The faulty lines of the file with a mark under the place. */
  excerpt?: string;
}

export interface CliErrorOptions {
  code?: string;
  /** The next thing to do; a command where there is one. */
  fix?: string;
  faults?: PlacedFault[];
  cause?: unknown;
}

/** An error that the CLI raises on purpose, with the exit code that it ends with. */
export class CliError extends Error {
  readonly code: string;
  readonly fix: string | undefined;
  readonly faults: PlacedFault[];

  constructor(
    readonly exitCode: ExitCode,
    message: string,
    options: CliErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CliError';
    this.code = options.code ?? 'CLI_ERROR';
    this.fix = options.fix;
    this.faults = options.faults ?? [];
  }
}

/** An error of the command line or of an input file. */
export function usageError(message: string, options: CliErrorOptions = {}): CliError {
  return new CliError(EXIT.usage, message, { code: 'USAGE', ...options });
}

/** Said by every command that needs a log-in and has none. */
export function notLoggedIn(message: string, server = 'http://localhost:7070'): CliError {
  return new CliError(EXIT.notLoggedIn, message, { code: 'NOT_LOGGED_IN', fix: `hithe login --server ${server} --email you@example.org` });
}
