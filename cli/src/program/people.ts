import type { Command } from 'commander';
import { type Act, defaultAction, examples } from './shared.js';

const ROLE_HELP = 'owner, admin, developer, viewer, auditor, or a role of the team';
const people = () => import('../commands/people.js');
const teamsModule = () => import('../commands/teams.js');

/** Commands about teams and their members. */
export function peopleCommands(program: Command, act: Act): void {
  teamCommands(program, act);
  const members = program.command('members').description('who is in the chosen team, and as what');
  defaultAction(members, () => act(async (context) => (await people()).listMembers(context, undefined)));
  listCommand(members, 'list', act);
  addCommand(members, 'add', 'give a user a role', act);
  addCommand(members, 'set', 'give a member another role', act);
  removeCommand(members, act);
}

function teamCommands(program: Command, act: Act): void {
  const teams = program.command('teams').description('teams');
  defaultAction(teams, () => act(async (context) => (await teamsModule()).listTeams(context)));
  teams
    .command('create')
    .description('create a team that you own')
    .argument('<name>')
    .option('--slug <slug>', 'its short name; made from the name when absent')
    .addHelpText('after', examples('hithe teams create "Web shop" --slug shop'))
    .action((name: string, options: { slug?: string }) => act(async (context) => (await teamsModule()).createTeam(context, name, options)));
  teams
    .command('list')
    .description('list the teams that you can see')
    .action(() => act(async (context) => (await teamsModule()).listTeams(context)));
  teams
    .command('show')
    .description('show a team')
    .argument('[team]', 'default: the chosen team')
    .action((team: string | undefined) => act(async (context) => (await teamsModule()).showTeam(context, team)));
  teams
    .command('rename')
    .description('give a team another name; its slug stays')
    .argument('<team>')
    .argument('<name>')
    .addHelpText('after', examples('hithe teams rename shop "The new shop"'))
    .action((team: string, name: string) => act(async (context) => (await teamsModule()).renameTeam(context, team, name)));
  teams
    .command('delete')
    .description('delete a team that has no projects')
    .argument('<team>')
    .option('--confirm <slug>', "the team's slug again, instead of being asked")
    .addHelpText('after', examples('hithe teams delete shop', 'hithe teams delete shop --confirm shop'))
    .action((team: string, options: { confirm?: string }) =>
      act(async (context) => (await teamsModule()).deleteTeam(context, team, options)),
    );
  teams
    .command('transfer')
    .description('make somebody else the owner of a team; you become an admin')
    .argument('<team>')
    .argument('<email>')
    .option('--confirm <slug>', "the team's slug again, instead of being asked")
    .addHelpText('after', examples('hithe teams transfer shop dana@example.org'))
    .action((team: string, email: string, options: { confirm?: string }) =>
      act(async (context) => (await teamsModule()).transferTeam(context, team, email, options)),
    );
  // As they were called before `hithe members`.
  listCommand(teams, 'members', act);
  addCommand(teams, 'add', 'the same as: hithe members add', act);
  removeCommand(teams, act);
}

function listCommand(group: Command, name: string, act: Act): void {
  group
    .command(name)
    .description('list who is in a team')
    .argument('[team]', 'default: the chosen team')
    .action((team: string | undefined) => act(async (context) => (await people()).listMembers(context, team)));
}

function addCommand(group: Command, name: string, description: string, act: Act): void {
  const command = `hithe ${group.name()} ${name}`;
  group
    .command(name)
    .description(description)
    .argument('<email>')
    .requiredOption('--role <role>', ROLE_HELP)
    .addHelpText('after', examples(`${command} dana@example.org --role developer`, `${command} dana@example.org --role viewer --team shop`))
    .action((email: string, options: { role: string }) => act(async (context) => (await people()).addMember(context, email, options)));
}

function removeCommand(group: Command, act: Act): void {
  group
    .command('remove')
    .description('take a user out of the chosen team')
    .argument('<email>')
    .addHelpText('after', examples(`hithe ${group.name()} remove dana@example.org`))
    .action((email: string) => act(async (context) => (await people()).removeMember(context, email)));
}
