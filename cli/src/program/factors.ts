import type { Command } from 'commander';
import { type Act, PROOF, defaultAction, examples } from './shared.js';

/** Commands about one's own second factors and identities. */
export function factorCommands(program: Command, act: Act): void {
  totpCommands(program, act);
  passkeyCommands(program, act);
  identityCommands(program, act);
}

function totpCommands(program: Command, act: Act): void {
  const group = program.command('2fa').description('your second factor: an authenticator app and recovery codes');
  defaultAction(group, () => act(async (context) => (await import('../commands/factors.js')).showFactors(context)));
  group
    .command('status')
    .description('show which second factors you have')
    .action(() => act(async (context) => (await import('../commands/factors.js')).showFactors(context)));
  group
    .command('enable')
    .description('set up an authenticator app: shows a QR code, asks for a code, prints recovery codes')
    .option('--code-stdin', 'read the password, and the code when the secret is shown, from lines of the standard input')
    .addHelpText('after', examples('hithe 2fa enable'))
    .action((options: { codeStdin?: boolean }) =>
      act(async (context) => (await import('../commands/factors.js')).enableTotp(context, options)),
    );
  group
    .command('disable')
    .description('do without the authenticator app')
    .option(...PROOF)
    .addHelpText('after', examples('hithe 2fa disable', 'printf \'%s\' "$PASSWORD" | hithe 2fa disable --proof-stdin'))
    .action((options: { proofStdin?: boolean }) =>
      act(async (context) => (await import('../commands/factors.js')).disableTotp(context, options)),
    );
  group
    .command('recovery-codes')
    .description('make new recovery codes; the former ones are void')
    .option(...PROOF)
    .addHelpText('after', examples('hithe 2fa recovery-codes'))
    .action((options: { proofStdin?: boolean }) =>
      act(async (context) => (await import('../commands/factors.js')).renewRecoveryCodes(context, options)),
    );
  group
    .command('reset')
    .description('take the second factors of a user away, who has lost them (for platform admins)')
    .argument('<email>')
    .option('--confirm <email>', 'the address once more, instead of typing it')
    .addHelpText('after', examples('hithe 2fa reset dana@example.org'))
    .action((email: string, options: { confirm?: string }) =>
      act(async (context) => (await import('../commands/factors.js')).resetFactors(context, email, options)),
    );
}

function passkeyCommands(program: Command, act: Act): void {
  const group = program.command('passkeys').description('your passkeys; they are registered in a browser');
  defaultAction(group, () => act(async (context) => (await import('../commands/factors.js')).listPasskeys(context)));
  group
    .command('list')
    .description('list your passkeys')
    .action(() => act(async (context) => (await import('../commands/factors.js')).listPasskeys(context)));
  group
    .command('rename')
    .description('change what you call one')
    .argument('<passkey>', 'its name or id')
    .argument('<name>')
    .addHelpText('after', examples('hithe passkeys rename Laptop "Old laptop"'))
    .action((passkey: string, name: string) =>
      act(async (context) => (await import('../commands/factors.js')).renamePasskey(context, passkey, name)),
    );
  group
    .command('delete')
    .description('delete one; it logs nobody in any more')
    .argument('<passkey>', 'its name or id')
    .option('--confirm <name>', 'its name once more, instead of typing it')
    .option(...PROOF)
    .addHelpText('after', examples('hithe passkeys delete "Old laptop"'))
    .action((passkey: string, options: { confirm?: string; proofStdin?: boolean }) =>
      act(async (context) => (await import('../commands/factors.js')).deletePasskey(context, passkey, options)),
    );
}

function identityCommands(program: Command, act: Act): void {
  const group = program.command('identities').description('your identities at the OIDC provider');
  defaultAction(group, () => act(async (context) => (await import('../commands/identities.js')).listIdentities(context)));
  group
    .command('list')
    .description('list the identities that open your account')
    .action(() => act(async (context) => (await import('../commands/identities.js')).listIdentities(context)));
  group
    .command('link')
    .description('log in at the provider, and let that identity open your account')
    .option('--no-browser', 'print the address, and ask for the code that the browser shows')
    .option(...PROOF)
    .addHelpText('after', examples('hithe identities link', 'hithe identities link --no-browser'))
    .action((options: { browser: boolean; proofStdin?: boolean }) =>
      act(async (context) => (await import('../commands/identities.js')).linkIdentity(context, options)),
    );
  group
    .command('unlink')
    .description('let an identity open your account no more')
    .argument('<identity>', 'its address or id')
    .option(...PROOF)
    .addHelpText('after', examples('hithe identities unlink ada@example.org'))
    .action((identity: string, options: { proofStdin?: boolean }) =>
      act(async (context) => (await import('../commands/identities.js')).unlinkIdentity(context, identity, options)),
    );
}
