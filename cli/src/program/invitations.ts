import type { Command } from 'commander';
import { type Act, defaultAction, examples } from './shared.js';

/** Commands about invitations; they are made by `hithe users invite`. */
export function invitationCommands(program: Command, act: Act): void {
  const invitations = program.command('invitations').description('open invitations to the chosen team');
  defaultAction(invitations, () => act(async (context) => (await import('../commands/invitations.js')).listInvitations(context, {})));
  invitations
    .command('list')
    .description('list those that are open')
    .option('--platform', 'those to the platform (for platform admins)')
    .action((options: { platform?: boolean }) =>
      act(async (context) => (await import('../commands/invitations.js')).listInvitations(context, options)),
    );
  invitations
    .command('revoke')
    .description('make the link of an invitation useless')
    .argument('<id>')
    .action((id: string) => act(async (context) => (await import('../commands/invitations.js')).revokeInvitation(context, id)));
  invitations
    .command('accept')
    .description('join with a link, as yourself or with a new account')
    .option('--new-account', 'open an account for the invited address, and log in')
    .option('--stdin', 'read the link, and with --new-account the password, from the standard input, a line each')
    .option('--server <url>', 'with --new-account: address of the server (default: the last one)')
    .addHelpText('after', examples('hithe invitations accept', 'hithe invitations accept --new-account --server https://hithe.example.org'))
    .action((options: { newAccount?: boolean; stdin?: boolean; server?: string }) =>
      act(async (context) => (await import('../commands/invitations.js')).acceptInvitation(context, options)),
    );
}
