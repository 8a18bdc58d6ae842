import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Io, Output } from '../io.js';
import { run } from '../run.js';

class Captured implements Output {
  text = '';
  readonly columns = 100;
  constructor(readonly isTTY: boolean) {}
  write(text: string): void {
    this.text += text;
  }
}

/** What a command line printed and how it ended. */
export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  stdin?: string;
  env?: Record<string, string>;
  cwd?: string;
  tty?: boolean;
}

/** Runs command lines with a configuration directory of their own. */
export class CliHarness implements AsyncDisposable {
  private constructor(
    readonly directory: string,
    private readonly env: Record<string, string>,
  ) {}

  static async create(env: Record<string, string> = {}): Promise<CliHarness> {
    return new CliHarness(await mkdtemp(join(tmpdir(), 'hithe-cli-')), env);
  }

  get configDirectory(): string {
    return join(this.directory, 'config');
  }

  async run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const tty = options.tty === true;
    const stdout = new Captured(tty);
    const stderr = new Captured(tty);
    const stdin: Io['stdin'] = Readable.from(options.stdin === undefined ? [] : [options.stdin]);
    if (tty) stdin.isTTY = true;
    const env = { HITHE_CONFIG_DIR: this.configDirectory, ...this.env, ...options.env };
    const code = await run(argv, { stdout, stderr, stdin, env, cwd: options.cwd ?? this.directory });
    return { code, stdout: stdout.text, stderr: stderr.text };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}
