import { createInterface } from 'node:readline';
import { usageError } from '../cli-error.js';
import type { Io } from '../io.js';

/** Asks one question on the terminal. */
export function ask(io: Io, question: string): Promise<string> {
  const terminal = createInterface({ input: io.stdin, output: process.stderr, terminal: false });
  io.stderr.write(question);
  return new Promise((resolve, reject) => {
    let answered = false;
    terminal.once('line', (line) => {
      answered = true;
      resolve(line.trim());
      terminal.close();
    });
    terminal.once('close', () => {
      if (!answered) reject(usageError('The input ended before the question was answered.'));
    });
  });
}

/** Return, line feed, and Ctrl-D. */
const ENTER = new Set(['\r', '\n', '\u0004']);

/** Asks for a secret on the terminal without showing what is typed. */
export function askSecret(io: Io, question: string): Promise<string> {
  const { stdin, stderr } = io;
  stderr.write(question);
  stdin.setRawMode?.(true);
  stdin.setEncoding('utf8');
  return new Promise((resolve, reject) => {
    let secret = '';
    const finish = (): void => {
      stdin.removeListener('data', onData);
      stdin.setRawMode?.(false);
      stdin.pause();
      stderr.write('\n');
    };
    const onData = (chunk: string | Buffer): void => {
      for (const character of String(chunk)) {
        if (ENTER.has(character)) {
          finish();
          resolve(secret);
          return;
        }
        if (character === '\u0003') {
          finish();
          reject(usageError('Interrupted.'));
          return;
        }
        secret = character === '\u007f' || character === '\b' ? secret.slice(0, -1) : secret + character;
      }
    };
    stdin.on('data', onData);
    stdin.resume();
  });
}

/** The first line of the standard input: how a script hands over a password without showing it in the process list. */
export async function readSecretFromStdin(io: Io): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of io.stdin) chunks.push(Buffer.from(chunk));
  const [line = ''] = Buffer.concat(chunks).toString('utf8').split(/\r?\n/, 1);
  if (line === '') throw usageError('The standard input is empty.', { fix: 'printf \'%s\' "$PASSWORD" | hithe … --password-stdin' });
  return line;
}

/** The password of a command: from the standard input when asked to, else from the terminal, else an error that says how. */
export async function passwordFor(io: Io, question: string, fromStdin: boolean): Promise<string> {
  if (fromStdin) return readSecretFromStdin(io);
  if (io.stdin.isTTY === true) return askSecret(io, question);
  throw usageError('There is no terminal to ask for the password on.', { fix: 'printf \'%s\' "$PASSWORD" | hithe … --password-stdin' });
}
