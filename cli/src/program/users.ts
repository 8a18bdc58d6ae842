import type { Command } from 'commander';
import { type Act, defaultAction, examples, wholeNumber } from './shared.js';

type Commands = typeof import('../commands/users.js');

/** Commands about the accounts of others. */
export function userCommands(program: Command, act: Act): void {
  const users = program.command('users').description('users of the platform (for platform admins)');
  const run = (work: (commands: Commands) => (context: Parameters<Parameters<Act>[0]>[0]) => Promise<void>): Promise<void> =>
    act(async (context) => work(await import('../commands/users.js'))(context));
  defaultAction(users, () => run(({ listUsers }) => listUsers));
  users
    .command('list')
    .description('list all users')
    .action(() => run(({ listUsers }) => listUsers));
  users
    .command('show')
    .description('show a user, and where they are logged in')
    .argument('<email>')
    .action((who: string) =>
      run(
        ({ showUser }) =>
          (context) =>
            showUser(context, who),
      ),
    );
  users
    .command('create')
    .description('create a user; without a password the server makes one up')
    .requiredOption('--email <email>', 'who it is')
    .option('--password-stdin', 'read the password from the standard input')
    .addHelpText('after', examples('hithe users create --email dana@example.org'))
    .action((options: { email: string; passwordStdin?: boolean }) =>
      run(
        ({ createUser }) =>
          (context) =>
            createUser(context, options),
      ),
    );
  users
    .command('invite')
    .description('make a link for somebody to join the chosen team, or the platform')
    .argument('<email>')
    .option('--role <role>', 'their role in the team (default: developer)')
    .option('--platform', 'an account with its own team only (for platform admins)')
    .option('--days <number>', 'days until the link expires (default: 7)', wholeNumber)
    .addHelpText(
      'after',
      examples('hithe users invite dana@example.org --role viewer --team shop', 'hithe users invite dana@example.org --platform'),
    )
    .action((email: string, options: { role?: string; platform?: boolean; days?: number }) =>
      run(
        ({ inviteUser }) =>
          (context) =>
            inviteUser(context, email, options),
      ),
    );
  changes(users, run);
  users
    .command('delete')
    .description('delete a user for good, with the personal team; asks for the address')
    .argument('<email>')
    .option('--confirm <email>', 'the address again, instead of being asked')
    .addHelpText('after', examples('hithe users delete dana@example.org', 'hithe users delete dana@example.org --confirm dana@example.org'))
    .action((who: string, options: { confirm?: string }) =>
      run(
        ({ deleteUser }) =>
          (context) =>
            deleteUser(context, who, options),
      ),
    );
  users
    .command('reset-password')
    .description('make a link with which a user chooses another password')
    .argument('<email>')
    .addHelpText('after', examples('hithe users reset-password dana@example.org'))
    .action((who: string) =>
      run(
        ({ resetPassword }) =>
          (context) =>
            resetPassword(context, who),
      ),
    );
  users
    .command('end-sessions')
    .description('log a user out everywhere')
    .argument('<email>')
    .action((who: string) =>
      run(
        ({ endSessions }) =>
          (context) =>
            endSessions(context, who),
      ),
    );
}

function changes(
  users: Command,
  run: (work: (commands: Commands) => (context: Parameters<Parameters<Act>[0]>[0]) => Promise<void>) => Promise<void>,
): void {
  const all = [
    ['disable', 'keep a user out, at once', { disabled: true }, 'is disabled, and logged out everywhere'],
    ['enable', 'let a disabled user in again', { disabled: false }, 'is enabled'],
    ['grant-admin', 'make a user an administrator of the platform', { platformAdmin: true }, 'administers the platform now'],
    ['revoke-admin', 'take the administration of the platform from a user', { platformAdmin: false }, 'no longer administers the platform'],
  ] as const;
  for (const [name, description, change, done] of all) {
    users
      .command(name)
      .description(description)
      .argument('<email>')
      .addHelpText('after', examples(`hithe users ${name} dana@example.org`))
      .action((who: string) =>
        run(
          ({ changeUser }) =>
            (context) =>
              changeUser(context, who, change, done),
        ),
      );
  }
}
