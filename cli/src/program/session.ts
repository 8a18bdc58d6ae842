import type { Command } from 'commander';
import type { LoginOptions } from '../commands/session.js';
import { type Act, examples } from './shared.js';

/** Commands that log in and out, and choose the team. */
export function sessionCommands(program: Command, act: Act): void {
  program
    .command('login')
    .description('log in to a server, and keep the log-in')
    .option('--server <url>', 'address of the server (default: the last one, or http://localhost:7070)')
    .option('--email <email>', 'who you are')
    .option('--password-stdin', 'read the password from the standard input')
    .option('--code-stdin', 'read the code of the second factor from the standard input, on the line after the password')
    .option('--oidc', "log in with the server's OIDC provider, in a browser")
    .option('--no-browser', 'with --oidc: print the address, and ask for the code that the browser shows')
    .addHelpText(
      'after',
      examples(
        'hithe login --oidc --server https://hithe.example.org',
        'hithe login --server https://hithe.example.org --email you@example.org',
        'printf \'%s\' "$PASSWORD" | hithe login --email ci@example.org --password-stdin',
      ),
    )
    .action((options: LoginOptions) => act(async (context) => (await import('../commands/session.js')).login(context, options)));
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
