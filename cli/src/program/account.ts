import type { Command } from 'commander';
import { type Act, defaultAction, examples } from './shared.js';

/** Commands about one's own sessions and password. */
export function accountCommands(program: Command, act: Act): void {
  const sessions = program.command('sessions').description('where you are logged in');
  defaultAction(sessions, () => act(async (context) => (await import('../commands/account.js')).listSessions(context)));
  sessions
    .command('list')
    .description('list your sessions; * is this one')
    .action(() => act(async (context) => (await import('../commands/account.js')).listSessions(context)));
  sessions
    .command('revoke')
    .description('end one of your sessions, at once')
    .argument('<id>')
    .addHelpText('after', examples('hithe sessions', 'hithe sessions revoke 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55'))
    .action((id: string) => act(async (context) => (await import('../commands/account.js')).revokeSession(context, id)));
  sessions
    .command('revoke-others')
    .description('log out everywhere but here')
    .action(() => act(async (context) => (await import('../commands/account.js')).revokeOthers(context)));
  passwordCommands(program, act);
}

function passwordCommands(program: Command, act: Act): void {
  const password = program.command('password').description('your password');
  password
    .command('change')
    .description('change it; ends your other sessions')
    .option('--stdin', 'read the current and the new one from the standard input, a line each')
    .addHelpText('after', examples('hithe password change', 'printf \'%s\\n%s\\n\' "$CURRENT" "$NEW" | hithe password change --stdin'))
    .action((options: { stdin?: boolean }) =>
      act(async (context) => (await import('../commands/account.js')).changePassword(context, options)),
    );
  password
    .command('forgot')
    .description('ask for a link by mail')
    .requiredOption('--email <email>', 'who you are')
    .option('--server <url>', 'address of the server (default: the last one)')
    .addHelpText('after', examples('hithe password forgot --email you@example.org'))
    .action((options: { email: string; server?: string }) =>
      act(async (context) => (await import('../commands/account.js')).forgotPassword(context, options)),
    );
  password
    .command('reset')
    .description('choose a new one with a link')
    .option('--stdin', 'read the link and the new password from the standard input, a line each')
    .option('--server <url>', 'address of the server (default: the last one)')
    .addHelpText('after', examples('hithe password reset --server https://hithe.example.org'))
    .action((options: { stdin?: boolean; server?: string }) =>
      act(async (context) => (await import('../commands/account.js')).resetPassword(context, options)),
    );
}
