// From a changed line of the guestbook's page to the first answer that shows it: `hithe deploy` beside a plain script that
// does the same steps by hand, in turns. Also memory at rest, and how long `npm start` takes.
import { execFile, spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, Installation, ROOT } from './lib/installation.mjs';
import { machine, megabytes, ratio, seconds, summarise, table } from './lib/figures.mjs';
import { environmentOf, memoryOf, memoryOfTree } from './lib/processes.mjs';

const execute = promisify(execFile);
const POLL_MS = 2;
const DEADLINE_MS = 120_000;
const REST_MS = 15_000;
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The body of a page, or undefined while nothing answers. A connection of its own for each: a kept one would hide a restart. */
function bodyOf(url) {
  return new Promise((resolve) => {
    const outgoing = request(url, { agent: false, timeout: 5_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve(text));
      response.on('error', () => resolve(undefined));
    });
    outgoing.on('timeout', () => outgoing.destroy());
    outgoing.on('error', () => resolve(undefined));
    outgoing.end();
  });
}

/** Polls until the page shows `mark`; resolves with when it did, and for how long nothing answered in between. */
async function firstAnswerWith(url, mark) {
  const deadline = performance.now() + DEADLINE_MS;
  let away = 0;
  let goneAt;
  for (;;) {
    const body = await bodyOf(url);
    const now = performance.now();
    if (body === undefined) goneAt ??= now;
    else if (goneAt !== undefined) {
      away += now - goneAt;
      goneAt = undefined;
    }
    if (body?.includes(mark)) return { at: now, away };
    if (now > deadline) throw new Error(`${url} does not show ${mark}`);
    await pause(POLL_MS);
  }
}

/** One line of the guestbook's page, with a mark that has not been there before. */
class Source {
  static async copy(to) {
    await cp(join(ROOT, 'examples/guestbook'), to, { recursive: true, filter: (path) => !path.includes('node_modules') });
    const source = new Source();
    source.directory = to;
    source.file = join(to, 'app/page.js');
    source.text = await readFile(source.file, 'utf8');
    return source;
  }

  async mark(mark) {
    await writeFile(this.file, this.text.replace('You have reached a small haven.', `You have reached a small haven. ${mark}`));
  }
}

async function timed(url, mark, deploy) {
  const began = performance.now();
  const finished = deploy().then(() => performance.now());
  // A deployment that fails must end the measurement, not leave it polling.
  const answer = await Promise.race([firstAnswerWith(url, mark), finished.then(() => firstAnswerWith(url, mark))]);
  return { answer: answer.at - began, command: (await finished) - began, away: answer.away };
}

/** The guestbook run by hand, on the same database and cache, by the same Node.js. */
async function plainGuestbook(directory, web) {
  const { DATABASE_URL, VALKEY_URL } = await environmentOf(web.pid);
  const port = await freePort();
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => name !== 'NODE_OPTIONS' && !name.startsWith('HITHE_')),
  );
  const env = { ...inherited, HOST: '127.0.0.1', PORT: String(port), NODE_ENV: 'production', DATABASE_URL, VALKEY_URL };
  const deploy = (source) =>
    execute(join(ROOT, 'bench/plain-deploy.sh'), [join(source.directory, 'app'), directory, process.execPath], { env });
  const stop = async () => {
    const pid = Number(await readFile(join(directory, 'pid'), 'utf8').catch(() => '0'));
    if (pid > 0) process.kill(pid);
  };
  return { url: `http://127.0.0.1:${port}/`, deploy, stop };
}

async function compare(installation, work, runs) {
  const ours = await Source.copy(join(work, 'hithe'));
  const theirs = await Source.copy(join(work, 'plain'));
  await installation.hithe('deploy', '-f', ours.directory);
  const status = await installation.status('guestbook');
  const web = status.components.find(({ name }) => name === 'web');
  const [endpoint] = web.endpoints;
  const url = `http://${endpoint.address}:${endpoint.port}/`;
  const plain = await plainGuestbook(await mkdtemp(join(work, 'by-hand-')), web);
  const figures = { hithe: [], plain: [], commands: [], hitheAway: [], plainAway: [] };
  try {
    await plain.deploy(theirs);
    for (let run = 0; run < runs; run += 1) {
      const mark = `bench-${run}-${Date.now()}`;
      await ours.mark(mark);
      const hithe = await timed(url, mark, () => installation.hithe('deploy', '-f', ours.directory));
      await theirs.mark(mark);
      const byHand = await timed(plain.url, mark, () => plain.deploy(theirs));
      figures.hithe.push(hithe.answer);
      figures.commands.push(hithe.command);
      figures.hitheAway.push(hithe.away);
      figures.plain.push(byHand.answer);
      figures.plainAway.push(byHand.away);
    }
  } finally {
    await plain.stop();
  }
  return figures;
}

async function memoryAtRest(installation) {
  await pause(REST_MS);
  const [controlPlane, agent, database] = await Promise.all(['control-plane', 'agent', 'database'].map((name) => installation.pidOf(name)));
  return { controlPlane: await memoryOf(controlPlane), agent: await memoryOf(agent), database: await memoryOfTree(database) };
}

/** A clone of what is committed, started from nothing: dependencies, build, downloads, example. */
async function coldStart(work) {
  const clone = join(work, 'clone');
  await execute('git', ['clone', '--quiet', ROOT, clone]);
  const installation = await Installation.create(clone);
  try {
    const nothing = { HITHE_STORE: '', HITHE_CACHE: '' };
    return await installation.start([], nothing);
  } finally {
    await installation.dispose();
  }
}

function report(figures, summary) {
  const row = (name, { median, worst }) => [name, seconds(median), seconds(worst)];
  const lines = [
    `${summary.machine}, ${summary.hithe.runs} runs in turns`,
    '',
    table([
      ['changed line → first new answer', 'median', 'worst'],
      row('hithe deploy', summary.hithe),
      row('plain script', summary.plain),
      ['ratio', ratio(summary.ratio.median), ratio(summary.ratio.worst)],
      row('hithe deploy, until the command ends', summary.commands),
      row('no answer meanwhile, hithe', summary.hitheAway),
      row('no answer meanwhile, plain', summary.plainAway),
    ]),
    '',
    table([
      ['memory at rest (PSS)', ''],
      ['control plane', megabytes(figures.memory.controlPlane)],
      ['agent', megabytes(figures.memory.agent)],
      ['database', megabytes(figures.memory.database)],
    ]),
    '',
    table([
      ['npm start', ''],
      ...(figures.start.cold === undefined ? [] : [['fresh clone, nothing cached by us, with the example', seconds(figures.start.cold)]]),
      ['fresh home, built, no example', seconds(figures.start.freshHome)],
      ['again, with the guestbook', seconds(figures.start.again)],
    ]),
  ];
  return lines.join('\n');
}

/** Runs it all in an installation of its own; the store and cache that HITHE_STORE and HITHE_CACHE name are used. */
export async function bench({ runs, cold }) {
  const work = await mkdtemp('/var/tmp/hithe-bench-work-');
  const installation = await Installation.create();
  try {
    // Builds, so that the start that is measured does not.
    await new Promise((resolve) => spawn('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: 'ignore' }).once('exit', resolve));
    const start = { freshHome: await installation.start(['--no-example']) };
    await installation.login();
    const measured = await compare(installation, work, runs);
    const memory = await memoryAtRest(installation);
    await installation.stop('SIGINT');
    start.again = await installation.start(['--no-example']);
    await installation.stop('SIGINT');
    if (cold) start.cold = await coldStart(work);
    const figures = { ...measured, memory, start };
    const summary = { machine: await machine() };
    for (const name of ['hithe', 'plain', 'commands', 'hitheAway', 'plainAway']) summary[name] = summarise(measured[name]);
    summary.ratio = { median: summary.hithe.median / summary.plain.median, worst: summary.hithe.worst / summary.plain.worst };
    return { text: report(figures, summary), figures: { ...summary, ...figures } };
  } finally {
    await installation.dispose();
    await rm(work, { recursive: true, force: true });
  }
}
