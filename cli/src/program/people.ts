import type { Command } from 'commander';
import { type Act, defaultAction, examples } from './shared.js';

/** Commands about teams and their members. */
export function peopleCommands(program: Command, act: Act): void {
  const teams = program.command('teams').description('teams and their members');
  defaultAction(teams, () => act(async (context) => (await import('../commands/people.js')).listTeams(context)));
  teams
    .command('create')
    .description('create a team that you own')
    .argument('<name>')
    .option('--slug <slug>', 'its short name; made from the name when absent')
    .addHelpText('after', examples('hithe teams create "Web shop" --slug shop'))
    .action((name: string, options: { slug?: string }) =>
      act(async (context) => (await import('../commands/people.js')).createTeam(context, name, options)),
    );
  teams
    .command('list')
    .description('list the teams that you can see')
    .action(() => act(async (context) => (await import('../commands/people.js')).listTeams(context)));
  teams
    .command('members')
    .description('list who is in a team')
    .argument('[team]', 'default: the chosen team')
    .action((team: string | undefined) => act(async (context) => (await import('../commands/people.js')).listMembers(context, team)));
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
      act(async (context) => (await import('../commands/people.js')).addMember(context, email, options)),
    );
  teams
    .command('remove')
    .description('take a user out of the chosen team')
    .argument('<email>')
    .action((email: string) => act(async (context) => (await import('../commands/people.js')).removeMember(context, email)));
}
