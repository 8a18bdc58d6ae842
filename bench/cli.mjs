// How long the command line tool takes to start, beside an empty program on the same Node.js, in turns.
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ROOT } from './lib/installation.mjs';
import { machine, ms, ratio, summarise, table } from './lib/figures.mjs';

/** Answers what `hithe status` asks, at once, in a thread of its own: what is measured is the command alone. */
const SERVER = `
  const { createServer } = require('node:http');
  const { parentPort } = require('node:worker_threads');
  const project = { id: 'p', teamId: 't', name: 'x', state: 'running', release: 1, updatedAt: new Date().toISOString() };
  const answers = {
    '/api/v1/me': { id: 'u', email: 'a@b.c', platformAdmin: false, teams: [{ id: 't', slug: 't', name: 't', role: 'owner' }] },
    '/api/v1/projects': { items: [project], nextCursor: null },
    '/api/v1/projects/p/status': { project: 'x', state: 'running', release: 1, health: 'healthy', components: [] },
  };
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answers[request.url.split('?')[0]] ?? {}));
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

export async function bench({ runs }) {
  const worker = new Worker(SERVER, { eval: true });
  const port = await new Promise((resolve) => worker.once('message', resolve));
  const directory = await mkdtemp(join(tmpdir(), 'hithe-bench-cli-'));
  const inherited = Object.entries(process.env).filter(([name]) => name !== 'NODE_OPTIONS');
  const env = { ...Object.fromEntries(inherited), HITHE_CONFIG_DIR: directory, HITHE_SERVER: `http://127.0.0.1:${port}`, HITHE_TOKEN: 'x' };
  const hithe = join(ROOT, 'bin/hithe');
  const commands = {
    'node -e 0': [process.execPath, ['-e', '0']],
    'hithe --version': [hithe, ['--version']],
    'hithe status x': [hithe, ['status', 'x']],
  };
  const figures = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  try {
    for (let run = -1; run < runs; run += 1) {
      for (const [name, [program, args]] of Object.entries(commands)) {
        const began = performance.now();
        const { status, stderr } = spawnSync(program, args, { env });
        if (status !== 0) throw new Error(`${name} ended with ${status}: ${stderr}`);
        // The first round fills the compile cache.
        if (run >= 0) figures[name].push(performance.now() - began);
      }
    }
  } finally {
    await worker.terminate();
    await rm(directory, { recursive: true });
  }
  const bare = summarise(figures['node -e 0']).median;
  const rows = Object.entries(figures).map(([name, values]) => {
    const { median, worst } = summarise(values);
    return [name, ms(median), ms(worst), ratio(median / bare)];
  });
  return { text: `${await machine()}, ${runs} runs in turns\n\n${table([['command', 'median', 'worst', 'ratio'], ...rows])}`, figures };
}
