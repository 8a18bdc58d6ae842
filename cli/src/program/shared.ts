import { type Command, InvalidArgumentError } from 'commander';
import { usageError } from '../cli-error.js';
import type { Context } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { nearest } from '../ui/suggest.js';

/** `undefined` is success. */
export type Work = (context: Context) => Promise<ExitCode | undefined> | Promise<void>;

/** Runs the work of a command with the context of this invocation. */
export type Act = (work: Work) => Promise<void>;

/** The examples at the end of a command's help, without the prompt. */
export function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`;
}

/** Runs a group's default command, and suggests the nearest one for a word that is none. */
export function defaultAction(group: Command, work: () => Promise<void>): void {
  group
    .argument('[command]')
    .usage('[command]')
    .action((word: string | undefined) => {
      if (word === undefined) return work();
      const names = group.commands.map((command) => command.name());
      const near = nearest(word, names);
      throw usageError(`unknown command "${group.name()} ${word}"`, {
        fix: `hithe ${group.name()} ${near ?? `--help   (commands: ${names.join(', ')})`}`,
      });
    });
}

/** The option of every command before which the server may ask for a fresh proof. */
export const PROOF: [string, string] = ['--proof-stdin', 'read the password or a code from the standard input, if the server asks for one'];

/** Reads a whole number from an option. */
export function wholeNumber(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number.');
}
