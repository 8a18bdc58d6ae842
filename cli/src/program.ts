import { Command } from 'commander';
import { Context, type GlobalOptions } from './context.js';
import { EXIT, EXIT_HELP, type ExitCode } from './exit-codes.js';
import type { Io } from './io.js';
import { accountCommands } from './program/account.js';
import { auditCommands } from './program/audit.js';
import { factorCommands } from './program/factors.js';
import { hookCommands } from './program/hooks.js';
import { invitationCommands } from './program/invitations.js';
import { peopleCommands } from './program/people.js';
import { lifecycleCommands, projectCommands } from './program/projects.js';
import { quotaCommands } from './program/quotas.js';
import { secretCommands } from './program/secrets.js';
import { roleCommands } from './program/roles.js';
import { sessionCommands } from './program/session.js';
import type { Work } from './program/shared.js';
import { signingKeyCommands } from './program/signing-keys.js';
import { tokenCommands } from './program/tokens.js';
import { userCommands } from './program/users.js';
import { viewCommands } from './program/views.js';
import { version } from './version.js';

/** The program and the exit code that its command ends with. */
export interface Program {
  command: Command;
  exitCode: () => ExitCode;
}

/** Builds the whole command line. What a command does is loaded when it runs, so that none pays for the others. */
export function buildProgram(io: Io): Program {
  let exitCode: ExitCode = EXIT.ok;
  const program = new Command('hithe')
    .description('Deploys and runs projects as native processes. See `hithe help COMMAND`.')
    .version(version, '-V, --version', 'print the version')
    .option('--json', 'write the result as JSON')
    .option('--team <team>', 'the team, instead of the one chosen by `hithe use` (also HITHE_TEAM)')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help of a command')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) })
    .showHelpAfterError('(add --help for the options and examples)')
    .exitOverride()
    .addHelpText('after', ROOT_HELP);
  const act = async (work: Work): Promise<void> => {
    exitCode = (await work(new Context(io, program.opts<GlobalOptions>()))) ?? EXIT.ok;
  };
  sessionCommands(program, act);
  accountCommands(program, act);
  factorCommands(program, act);
  userCommands(program, act);
  invitationCommands(program, act);
  peopleCommands(program, act);
  roleCommands(program, act);
  projectCommands(program, act);
  lifecycleCommands(program, act);
  viewCommands(program, act);
  secretCommands(program, act);
  tokenCommands(program, act);
  hookCommands(program, act);
  quotaCommands(program, act);
  signingKeyCommands(program, act);
  auditCommands(program, act);
  return { command: program, exitCode: () => exitCode };
}

const ROOT_HELP = `
Start here:
  $ hithe login --server http://localhost:7070 --email admin@example.org
  $ hithe deploy -f examples/guestbook/hithe.yaml
  $ hithe status guestbook

Environment:
  HITHE_SERVER, HITHE_TOKEN, HITHE_TEAM   for scripts, instead of a log-in
  HITHE_CONFIG_DIR                        where the log-in is kept (~/.config/hithe)
  NO_COLOR                                no colours

${EXIT_HELP}`;
