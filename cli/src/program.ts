import { Command, InvalidArgumentError } from 'commander';
import { Context, type GlobalOptions } from './context.js';
import { EXIT, EXIT_HELP, type ExitCode } from './exit-codes.js';
import type { Io } from './io.js';
import { usageError } from './cli-error.js';
import { nearest } from './ui/suggest.js';
import { version } from './version.js';

/** The program and the exit code that its command ends with. */
export interface Program {
  command: Command;
  exitCode: () => ExitCode;
}

/** `undefined` is success. */
type Work = (context: Context) => Promise<ExitCode | undefined> | Promise<void>;

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
  peopleCommands(program, act);
  projectCommands(program, act);
  lifecycleCommands(program, act);
  viewCommands(program, act);
  return { command: program, exitCode: () => exitCode };
}

type Act = (work: Work) => Promise<void>;

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

function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`;
}

function sessionCommands(program: Command, act: Act): void {
  program
    .command('login')
    .description('log in to a server, and keep the log-in')
    .option('--server <url>', 'address of the server (default: the last one, or http://localhost:7070)')
    .option('--email <email>', 'who you are')
    .option('--password-stdin', 'read the password from the standard input')
    .addHelpText(
      'after',
      examples(
        'hithe login --server https://hithe.example.org --email you@example.org',
        'printf \'%s\' "$PASSWORD" | hithe login --email ci@example.org --password-stdin',
      ),
    )
    .action((options: { server?: string; email?: string; passwordStdin?: boolean }) =>
      act(async (context) => (await import('./commands/session.js')).login(context, options)),
    );
  program
    .command('logout')
    .description('end the log-in, here and on the server')
    .action(() => act(async (context) => (await import('./commands/session.js')).logout(context)));
  const auth = program.command('auth').description('access tokens');
  auth
    .command('token')
    .description('print an access token that is good now, for scripts')
    .addHelpText('after', examples('curl -H "Authorization: Bearer $(hithe auth token)" http://localhost:7070/api/v1/me'))
    .action(() => act(async (context) => (await import('./commands/session.js')).authToken(context)));
  program
    .command('whoami')
    .description('show who is logged in, where, and the teams')
    .action(() => act(async (context) => (await import('./commands/session.js')).whoami(context)));
  program
    .command('use')
    .description('choose the team of all further commands')
    .argument('<team>', 'slug, name or id of the team')
    .action((team: string) => act(async (context) => (await import('./commands/session.js')).use(context, team)));
}

function peopleCommands(program: Command, act: Act): void {
  const users = program.command('users').description('users of the platform (for platform admins)');
  defaultAction(users, () => act(async (context) => (await import('./commands/people.js')).listUsers(context)));
  users
    .command('create')
    .description('create a user; without a password the server makes one up')
    .requiredOption('--email <email>', 'who it is')
    .option('--password-stdin', 'read the password from the standard input')
    .addHelpText('after', examples('hithe users create --email dana@example.org'))
    .action((options: { email: string; passwordStdin?: boolean }) =>
      act(async (context) => (await import('./commands/people.js')).createUser(context, options)),
    );
  users
    .command('list')
    .description('list all users')
    .action(() => act(async (context) => (await import('./commands/people.js')).listUsers(context)));
  const teams = program.command('teams').description('teams and their members');
  defaultAction(teams, () => act(async (context) => (await import('./commands/people.js')).listTeams(context)));
  teams
    .command('create')
    .description('create a team that you own')
    .argument('<name>')
    .option('--slug <slug>', 'its short name; made from the name when absent')
    .addHelpText('after', examples('hithe teams create "Web shop" --slug shop'))
    .action((name: string, options: { slug?: string }) =>
      act(async (context) => (await import('./commands/people.js')).createTeam(context, name, options)),
    );
  teams
    .command('list')
    .description('list the teams that you can see')
    .action(() => act(async (context) => (await import('./commands/people.js')).listTeams(context)));
  teams
    .command('members')
    .description('list who is in a team')
    .argument('[team]', 'default: the chosen team')
    .action((team: string | undefined) => act(async (context) => (await import('./commands/people.js')).listMembers(context, team)));
  teams
    .command('add')
    .description('give a user a role in the chosen team')
    .argument('<email>')
    .requiredOption('--role <role>', 'owner, admin, developer or viewer')
    .addHelpText(
      'after',
      examples('hithe teams add dana@example.org --role developer', 'hithe teams add dana@example.org --role viewer --team shop'),
    )
    .action((email: string, options: { role: string }) =>
      act(async (context) => (await import('./commands/people.js')).addMember(context, email, options)),
    );
  teams
    .command('remove')
    .description('take a user out of the chosen team')
    .argument('<email>')
    .action((email: string) => act(async (context) => (await import('./commands/people.js')).removeMember(context, email)));
}

/** Runs a group's default command, and suggests the nearest one for a word that is none. */
function defaultAction(group: Command, work: () => Promise<void>): void {
  group
    .argument('[command]')
    .usage('[command]')
    .action((word: string | undefined) => {
      if (word === undefined) return work();
      const names = group.commands.map((command) => command.name());
      const near = nearest(word, names);
      throw usageError(`unknown command "${group.name()} ${word}"`, {
        fix: `hithe ${group.name()} ${near ?? `--help   (commands: ${names.join(', ')})`}`,
      });
    });
}

function projectCommands(program: Command, act: Act): void {
  program
    .command('apply')
    .description('make a hithe.yaml the specification of its project; deploys nothing')
    .option('-f, --file <file>', 'the project file or its directory (default: ./hithe.yaml)')
    .addHelpText('after', examples('hithe apply', 'hithe apply -f examples/node-red/hithe.yaml'))
    .action((options: { file?: string }) => act(async (context) => (await import('./commands/apply.js')).apply(context, options)));
  program
    .command('plan')
    .description('show what a deploy would change, and check that it can; changes nothing')
    .argument('[project]', 'an applied project, instead of a file')
    .option('-f, --file <file>', 'the project file or its directory (default: ./hithe.yaml)')
    .addHelpText('after', examples('hithe plan', 'hithe plan guestbook --json'))
    .action((name: string | undefined, options: { file?: string }) =>
      act(async (context) => (await import('./commands/apply.js')).plan(context, name, options)),
    );
  program
    .command('deploy')
    .description('bring a project to its specification; with a file (or ./hithe.yaml), apply that first')
    .argument('[project]', 'an applied project, instead of a file')
    .option('-f, --file <file>', 'the project file or its directory (default: ./hithe.yaml)')
    .option('--no-wait', 'return as soon as the deployment has begun')
    .addHelpText(
      'after',
      examples('hithe deploy', 'hithe deploy -f examples/guestbook/hithe.yaml', 'hithe deploy guestbook --no-wait --json'),
    )
    .action((name: string | undefined, options: { file?: string; wait?: boolean }) =>
      act(async (context) => (await import('./commands/deploy.js')).deploy(context, name, options)),
    );
  program
    .command('delete')
    .description('stop a project and remove it; its data is kept unless --purge')
    .argument('<project>')
    .option('--confirm <name>', "the project's name again, instead of being asked")
    .option('--purge', 'delete its data too')
    .option('--no-wait', 'return as soon as the deletion has begun')
    .addHelpText('after', examples('hithe delete guestbook', 'hithe delete guestbook --confirm guestbook --purge'))
    .action((name: string, options: { confirm?: string; purge?: boolean; wait?: boolean }) =>
      act(async (context) => (await import('./commands/deploy.js')).remove(context, name, options)),
    );
}

function lifecycleCommands(program: Command, act: Act): void {
  for (const kind of ['start', 'stop', 'restart'] as const) {
    program
      .command(kind)
      .description(`${kind} a project, or some of its components`)
      .argument('[project]', 'default: the one of ./hithe.yaml')
      .argument('[components...]', 'default: all')
      .option('--no-wait', 'return as soon as it has begun')
      .addHelpText('after', examples(`hithe ${kind} guestbook`, `hithe ${kind} guestbook cache`))
      .action((name: string | undefined, components: string[], options: { wait?: boolean }) =>
        act(async (context) => (await import('./commands/deploy.js')).lifecycle(context, kind, name, components, options)),
      );
  }
}

function viewCommands(program: Command, act: Act): void {
  const optionalProject = ['[project]', 'default: the one of ./hithe.yaml'] as const;
  program
    .command('projects')
    .description("list the team's projects")
    .action(() => act(async (context) => (await import('./commands/status.js')).projects(context)));
  program
    .command('status')
    .description('show the components of a project: state, health, processes, addresses')
    .argument(...optionalProject)
    .action((name: string | undefined) => act(async (context) => (await import('./commands/status.js')).status(context, name)));
  program
    .command('health')
    .description('show whether a project is healthy; exit code 1 when it is not')
    .argument(...optionalProject)
    .action((name: string | undefined) => act(async (context) => (await import('./commands/status.js')).health(context, name)));
  program
    .command('logs')
    .description('show what the components write')
    .argument(...optionalProject)
    .argument('[component]', 'default: all')
    .option('-f, --follow', 'go on as lines come')
    .option('-n, --lines <number>', 'how many past lines', wholeNumber, 100)
    .option('-t, --timestamps', 'show when each line was written')
    .addHelpText('after', examples('hithe logs -f guestbook', 'hithe logs -n 20 guestbook web'))
    .action((name: string | undefined, component: string | undefined, options: { follow?: boolean; lines: number; timestamps?: boolean }) =>
      act(async (context) => (await import('./commands/logs.js')).logs(context, name, component, options)),
    );
  program
    .command('deployments')
    .description("list a project's deployments, or show one with its steps")
    .argument(...optionalProject)
    .option('--id <id>', 'show this one')
    .option('-f, --follow', 'follow it to its end')
    .action((name: string | undefined, options: { id?: string; follow?: boolean }) =>
      act(async (context) => (await import('./commands/deployments.js')).deployments(context, name, options)),
    );
  program
    .command('ports')
    .description('list what components can be made of, or show the versions and vars of one')
    .argument('[port]')
    .addHelpText('after', examples('hithe ports', 'hithe ports postgres'))
    .action((name: string | undefined) => act(async (context) => (await import('./commands/ports.js')).ports(context, name)));
  program
    .command('open')
    .description("print the address of a project's page, and open it where there is a desktop")
    .argument(...optionalProject)
    .argument('[component]')
    .action((name: string | undefined, component: string | undefined) =>
      act(async (context) => (await import('./commands/status.js')).open(context, name, component)),
    );
}

function wholeNumber(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number.');
}
