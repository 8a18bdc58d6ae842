import { usageError } from '../cli-error.js';
import type { Context } from '../context.js';
import { ask, passwordFor } from './prompt.js';

/** Where a log-in gets its password and its code from: the terminal, or the lines of the standard input, in this order. */
export class LoginInput {
  private lines: Promise<string[]> | undefined;

  constructor(
    private readonly context: Context,
    private readonly options: { passwordStdin?: boolean; codeStdin?: boolean },
  ) {}

  password(email: string): Promise<string> {
    if (this.options.passwordStdin === true) return this.line(0, 'The password');
    return passwordFor(this.context.io, `Password of ${email}: `, false);
  }

  /** A code of the second factor. Passkeys are for browsers. */
  code(methods: readonly string[]): Promise<string> {
    if (this.options.codeStdin === true) return this.line(this.options.passwordStdin === true ? 1 : 0, 'The code');
    if (this.context.io.stdin.isTTY !== true || this.options.passwordStdin === true) {
      throw usageError('This account has a second factor, and its code is missing.', {
        code: 'SECOND_FACTOR_REQUIRED',
        fix: 'printf \'%s\\n%s\\n\' "$PASSWORD" "$CODE" | hithe login --email … --password-stdin --code-stdin; for machines use an API token.',
      });
    }
    return ask(this.context.io, methods.includes('totp') ? 'Code of the authenticator app, or a recovery code: ' : 'Recovery code: ');
  }

  private async line(index: number, what: string): Promise<string> {
    this.lines ??= this.read();
    const line = (await this.lines)[index] ?? '';
    if (line !== '') return line;
    throw usageError(`${what} is missing on line ${index + 1} of the standard input.`, {
      fix: 'printf \'%s\\n\' "$PASSWORD" | hithe login --password-stdin',
    });
  }

  private async read(): Promise<string[]> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.context.io.stdin) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString('utf8').split(/\r?\n/);
  }
}
