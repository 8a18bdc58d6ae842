import type { Command } from 'commander';
import type { NewTokenOptions } from '../commands/tokens.js';
import { type Act, PROOF, defaultAction, examples } from './shared.js';

const tokens = () => import('../commands/tokens.js');
const accounts = () => import('../commands/service-accounts.js');

/** Commands about API tokens and service accounts. */
export function tokenCommands(program: Command, act: Act): void {
  ownTokenCommands(program, act);
  serviceAccountCommands(program, act);
}

function ownTokenCommands(program: Command, act: Act): void {
  const group = program.command('tokens').description('API tokens, for scripts and CI');
  defaultAction(group, () => act(async (context) => (await tokens()).listTokens(context, {})));
  group
    .command('list')
    .description('list your tokens')
    .option('--of-team', 'those that act in the chosen team alone, of whoever (for owners and admins)')
    .action((options: { ofTeam?: boolean }) => act(async (context) => (await tokens()).listTokens(context, options)));
  withTokenOptions(group.command('create').description('make a token that acts with your rights, cut to its scopes; it is shown once'))
    .option('--only-team', 'in the chosen team only')
    .addHelpText(
      'after',
      examples(
        'hithe tokens create --name laptop --scope read --expires 30d',
        'hithe tokens create --name ci --scope read --scope deploy --project guestbook',
        'export HITHE_TOKEN=$(hithe tokens create --name script --scope read,deploy --expires 1d)',
      ),
    )
    .action((options: NewTokenOptions & { onlyTeam?: boolean }) => act(async (context) => (await tokens()).createToken(context, options)));
  group
    .command('revoke')
    .description('end a token at once')
    .argument('<token>', 'its id, or its name where that is the only one')
    .option('--of-team', 'one that acts in the chosen team alone, of whoever')
    .addHelpText('after', examples('hithe tokens revoke ci'))
    .action((wanted: string, options: { ofTeam?: boolean }) =>
      act(async (context) => (await tokens()).revokeToken(context, wanted, options)),
    );
  group
    .command('scopes')
    .description('list what a token can be allowed')
    .action(() => act(async (context) => (await tokens()).listScopes(context)));
}

function serviceAccountCommands(program: Command, act: Act): void {
  const group = program.command('service-accounts').description('users of the chosen team that are no people, for CI');
  defaultAction(group, () => act(async (context) => (await accounts()).listAccounts(context)));
  group
    .command('list')
    .description('list them')
    .action(() => act(async (context) => (await accounts()).listAccounts(context)));
  group
    .command('create')
    .description('make one; it cannot log in, and acts with tokens alone')
    .argument('<name>')
    .requiredOption('--role <role>', 'admin, developer, viewer, auditor, or a role of the team')
    .addHelpText('after', examples('hithe service-accounts create deployer --role developer'))
    .action((name: string, options: { role: string }) => act(async (context) => (await accounts()).createAccount(context, name, options)));
  group
    .command('set-role')
    .description('give one another role; its tokens have it at once')
    .argument('<name>')
    .requiredOption('--role <role>', 'admin, developer, viewer, auditor, or a role of the team')
    .action((name: string, options: { role: string }) => act(async (context) => (await accounts()).setAccountRole(context, name, options)));
  group
    .command('delete')
    .description('delete one; its tokens end at once')
    .argument('<name>')
    .option('--confirm <name>', 'its name again, instead of being asked')
    .action((name: string, options: { confirm?: string }) =>
      act(async (context) => (await accounts()).deleteAccount(context, name, options)),
    );
  accountTokenCommands(group, act);
}

function accountTokenCommands(parent: Command, act: Act): void {
  const group = parent.command('tokens').description('tokens of a service account');
  group
    .command('list')
    .description('list the tokens of one')
    .argument('<account>')
    .action((account: string) => act(async (context) => (await accounts()).listAccountTokens(context, account)));
  withTokenOptions(group.command('create').description('make a token of one; it is shown once').argument('<account>'))
    .addHelpText('after', examples('hithe service-accounts tokens create deployer --name github --scope read,deploy --project guestbook'))
    .action((account: string, options: NewTokenOptions) =>
      act(async (context) => (await accounts()).createAccountToken(context, account, options)),
    );
  group
    .command('revoke')
    .description('end a token of one')
    .argument('<account>')
    .argument('<token>', 'its id, or its name where that is the only one')
    .action((account: string, token: string) => act(async (context) => (await accounts()).revokeAccountToken(context, account, token)));
}

function withTokenOptions(command: Command): Command {
  return command
    .requiredOption('--name <name>', 'what it is for')
    .requiredOption('--scope <scope>', 'what it may do: read, deploy, secret:write; repeat, or part by commas', collect, [])
    .option('--expires <time>', 'how long it lives, at most 365d', '90d')
    .option('--project <project>', 'in this project only')
    .option(...PROOF);
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}
