import type { Command } from 'commander';
import { type Act, PROOF, defaultAction, examples, wholeNumber } from './shared.js';

const MINUTES = 30;
const roles = () => import('../commands/roles.js');
const grants = () => import('../commands/grants.js');
const glass = () => import('../commands/break-glass.js');

/** Commands about who may do what: roles, grants, protection, permissions, emergency access. */
export function roleCommands(program: Command, act: Act): void {
  customRoleCommands(program, act);
  grantCommands(program, act);
  program
    .command('permissions')
    .description('what you may do in the chosen team, project by project')
    .addHelpText('after', examples('hithe permissions', 'hithe permissions --team shop --json'))
    .action(() => act(async (context) => (await import('../commands/permissions.js')).permissions(context)));
  breakGlassCommands(program, act);
}

function customRoleCommands(program: Command, act: Act): void {
  const group = program.command('roles').description('roles that the team made itself, and the table of the built-in ones');
  defaultAction(group, () => act(async (context) => (await roles()).listRoles(context)));
  group
    .command('list')
    .description('list the roles of the chosen team')
    .action(() => act(async (context) => (await roles()).listRoles(context)));
  group
    .command('table')
    .description('what each built-in role may do')
    .action(() => act(async (context) => (await roles()).roleTable(context)));
  group
    .command('show')
    .description('show a role with its rules')
    .argument('<role>')
    .action((role: string) => act(async (context) => (await roles()).showRole(context, role)));
  group
    .command('create')
    .description('make a role out of a file of rules')
    .argument('<name>')
    .requiredOption('-f, --file <file>', 'YAML or JSON: a list of rules')
    .option('--description <text>', 'what the role is for')
    .addHelpText('after', examples('hithe roles create release-manager -f rules.yaml', RULES_HELP))
    .action((name: string, options: { file: string; description?: string }) =>
      act(async (context) => (await roles()).createRole(context, name, options)),
    );
  group
    .command('update')
    .description('change a role for everybody who has it')
    .argument('<role>')
    .option('-f, --file <file>', 'YAML or JSON: a list of rules')
    .option('--description <text>', 'what the role is for')
    .option('--rename <name>', 'another name')
    .addHelpText('after', examples('hithe roles update release-manager -f rules.yaml'))
    .action((name: string, options: { file?: string; description?: string; rename?: string }) =>
      act(async (context) => (await roles()).updateRole(context, name, options)),
    );
  group
    .command('delete')
    .description('delete a role that nobody has')
    .argument('<role>')
    .option('--confirm <name>', 'the name of the role again, instead of being asked')
    .addHelpText('after', examples('hithe roles delete release-manager'))
    .action((name: string, options: { confirm?: string }) => act(async (context) => (await roles()).deleteRole(context, name, options)));
}

const RULES_HELP = `cat rules.yaml
  - action: [read, read-logs, deploy, operate, update]
    subject: Project
  - action: [deploy, operate, update]
    subject: Project
    projects: [billing]
    inverted: true`;

function grantCommands(program: Command, act: Act): void {
  const group = program.command('grants').description('roles on single projects, beside the roles in the team');
  group
    .command('list')
    .description('list who has a role on a project')
    .argument('<project>')
    .addHelpText('after', examples('hithe grants list guestbook'))
    .action((project: string) => act(async (context) => (await grants()).listGrants(context, project)));
  group
    .command('add')
    .description('give a member of the team a role on a project')
    .argument('<project>')
    .argument('<email>')
    .requiredOption('--role <role>', 'admin, developer, viewer, auditor, or a role of the team')
    .addHelpText('after', examples('hithe grants add guestbook dana@example.org --role developer'))
    .action((project: string, email: string, options: { role: string }) =>
      act(async (context) => (await grants()).addGrant(context, project, email, options)),
    );
  group
    .command('remove')
    .description('take the role on a project away')
    .argument('<project>')
    .argument('<email>')
    .action((project: string, email: string) => act(async (context) => (await grants()).removeGrant(context, project, email)));
  for (const [name, on] of [
    ['protect', true],
    ['unprotect', false],
  ] as const) {
    program
      .command(name)
      .description(on ? 'let developers change a project only with a grant' : 'let all developers change a project again')
      .argument('<project>')
      .addHelpText('after', examples(`hithe ${name} guestbook`))
      .action((project: string) => act(async (context) => (await grants()).protect(context, project, on)));
  }
}

function breakGlassCommands(program: Command, act: Act): void {
  const group = program.command('break-glass').description('emergency access of platform admins to a team');
  group
    .command('open')
    .description('get the right to reveal secrets and to exec in a team, for a time; its owners see every use')
    .argument('<team>')
    .requiredOption('--reason <text>', 'why; the owners of the team read it')
    .option('--minutes <number>', 'how long, at most 60', wholeNumber, MINUTES)
    .option(...PROOF)
    .addHelpText('after', examples('hithe break-glass open shop --reason "Nobody of the team can be reached." --minutes 15'))
    .action((team: string, options: { reason: string; minutes: number; proofStdin?: boolean }) =>
      act(async (context) => (await glass()).openBreakGlass(context, team, options)),
    );
  group
    .command('list')
    .description('list who had emergency access to a team, when and why')
    .argument('[team]', 'default: the chosen team')
    .action((team: string | undefined) => act(async (context) => (await glass()).listBreakGlass(context, team)));
  group
    .command('end')
    .description('end emergency access before its time')
    .argument('<team>')
    .argument('<id>')
    .action((team: string, id: string) => act(async (context) => (await glass()).endBreakGlass(context, team, id)));
}
