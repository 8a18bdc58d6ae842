import type { Command } from 'commander';
import { type Act, defaultAction, examples } from './shared.js';

/** Commands about the keys that sign access tokens. */
export function signingKeyCommands(program: Command, act: Act): void {
  const keys = program.command('signing-keys').description('keys that sign access tokens (for platform admins)');
  defaultAction(keys, () => act(async (context) => (await import('../commands/signing-keys.js')).listSigningKeys(context)));
  keys
    .command('list')
    .description('list the keys whose tokens are good')
    .action(() => act(async (context) => (await import('../commands/signing-keys.js')).listSigningKeys(context)));
  keys
    .command('rotate')
    .description('sign with a new key; tokens of the one before stay good until they expire')
    .option('--end-previous', 'refuse all earlier tokens at once, for when a key has leaked; clients refresh theirs')
    .option('--confirm <word>', 'with --end-previous: the word end-previous, instead of being asked')
    .addHelpText('after', examples('hithe signing-keys rotate', 'hithe signing-keys rotate --end-previous'))
    .action((options: { endPrevious?: boolean; confirm?: string }) =>
      act(async (context) => (await import('../commands/signing-keys.js')).rotateSigningKeys(context, options)),
    );
}
