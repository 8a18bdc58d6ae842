import { usageError } from '../cli-error.js';
import type { Context } from '../context.js';
import { ask } from './prompt.js';

/** Asks somebody to type the name of what they are about to destroy, unless `--confirm` gives it; anything else stops the command. */
export async function confirmByName(
  context: Context,
  thing: { name: string; doing: string; command: string },
  given: string | undefined,
): Promise<void> {
  if (given === undefined && context.io.stdin.isTTY !== true) {
    throw usageError(`${thing.doing} needs a confirmation.`, {
      code: 'CONFIRMATION_MISSING',
      fix: `${thing.command} --confirm ${thing.name}`,
    });
  }
  const typed = given ?? (await ask(context.io, `${thing.doing} cannot be undone. Type ${thing.name} to go on: `));
  if (typed === thing.name) return;
  throw usageError(`"${typed}" is not ${thing.name}; nothing was changed.`, { code: 'CONFIRMATION_WRONG', fix: `Type ${thing.name}.` });
}
