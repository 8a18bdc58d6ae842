import type { Command } from 'commander';
import { type Act, examples } from './shared.js';

/** Commands that log in and out, and choose the team. */
export function sessionCommands(program: Command, act: Act): void {
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
      act(async (context) => (await import('../commands/session.js')).login(context, options)),
    );
  program
    .command('logout')
    .description('end the log-in, here and on the server')
    .action(() => act(async (context) => (await import('../commands/session.js')).logout(context)));
  const auth = program.command('auth').description('access tokens');
  auth
    .command('token')
    .description('print an access token that is good now, for scripts')
    .addHelpText('after', examples('curl -H "Authorization: Bearer $(hithe auth token)" http://localhost:7070/api/v1/me'))
    .action(() => act(async (context) => (await import('../commands/session.js')).authToken(context)));
  program
    .command('whoami')
    .description('show who is logged in, where, and the teams')
    .action(() => act(async (context) => (await import('../commands/session.js')).whoami(context)));
  program
    .command('use')
    .description('choose the team of all further commands')
    .argument('<team>', 'slug, name or id of the team')
    .action((team: string) => act(async (context) => (await import('../commands/session.js')).use(context, team)));
}
