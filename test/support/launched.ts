import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const root = join(import.meta.dirname, '../..');
const READY = /Ctrl-C stops Hithe/;

/** A running `npm start` with everything that it printed. */
export interface Launched {
  readonly process: ChildProcess;
  readonly url: string;
  output(): string;
  /** Sends a signal and waits for the end; resolves with exit code or signal. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

/** Runs the launcher as `npm start` does, and resolves once it has printed its summary. Rejects with its output when it ends before. */
export async function launch(options: {
  home: string;
  port: number;
  arguments?: string[];
  environment?: NodeJS.ProcessEnv;
}): Promise<Launched> {
  const launcher = start(options);
  const output = collect(launcher);
  const ended = once(launcher, 'exit');
  const deadline = performance.now() + 300_000;
  while (!READY.test(output())) {
    const code = await Promise.race([ended.then(([given]: unknown[]) => given), delay(50, 'runs')]);
    if (code !== 'runs') throw new Error(`npm start ended with ${String(code)}:\n${output()}`);
    if (performance.now() > deadline) throw new Error(`npm start was not ready in time:\n${output()}`);
  }
  return {
    process: launcher,
    url: `http://127.0.0.1:${options.port}`,
    output,
    end: async (signal) => {
      launcher.kill(signal);
      const [code, by] = (await ended) as [number | null, NodeJS.Signals | null];
      return by ?? code ?? -1;
    },
  };
}

/** Runs the launcher to its end; for starts that are refused. */
export async function launchToEnd(options: {
  home: string;
  port: number;
  arguments?: string[];
}): Promise<{ code: number; output: string }> {
  const launcher = start(options);
  const output = collect(launcher);
  const timer = setTimeout(() => launcher.kill('SIGINT'), 120_000);
  const [code] = (await once(launcher, 'exit')) as [number];
  clearTimeout(timer);
  return { code, output: output() };
}

/** A network port that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no network port');
  return address.port;
}

function start(options: { home: string; port: number; arguments?: string[]; environment?: NodeJS.ProcessEnv }): ChildProcess {
  const env = { ...process.env, ...options.environment, HITHE_HOME: options.home, HITHE_HTTP_PORT: String(options.port), NODE_OPTIONS: '' };
  return spawn(process.execPath, [join(root, 'bin/start.mjs'), ...(options.arguments ?? [])], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return () => text;
}
