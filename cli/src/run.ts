import { CommanderError } from 'commander';
import { EXIT, type ExitCode } from './exit-codes.js';
import type { Io } from './io.js';
import { buildProgram } from './program.js';
import { writeError } from './report-error.js';

/** Runs one command line and returns its exit code; never throws, never exits the process. */
export async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  const { command, exitCode } = buildProgram(io);
  try {
    if (argv.length === 0) {
      command.outputHelp();
      return EXIT.usage;
    }
    await command.parseAsync(argv, { from: 'user' });
    return exitCode();
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return writeError(io, error, argv.includes('--json'));
  }
}
