// List and get of projects under roles and row-level security, beside the same SQL behind a bare Nest handler, in turns; whether they stay as
// quick when there are ten times as many projects; and what a log-in costs beside the password's hash alone.
import { fork, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { verify } from '@node-rs/argon2';
import pg from 'pg';
import { CALLERS, emailOf, seedPeople, seedProjects, whatCallersSee } from './lib/api/data.mjs';
import { plansOf, statementsOf } from './lib/api/statements.mjs';
import { machine, ratio, summarise, table } from './lib/figures.mjs';
import { EMAIL, Installation, PASSWORD, ROOT } from './lib/installation.mjs';
import { cpuOfTree } from './lib/processes.mjs';

const USERS = 1_000;
const TEAMS = 200;
const PROJECTS_PER_TEAM = 100;
/** The teams that have projects while there are few. */
const FIRST_TEAMS = 20;
const PAGE = 50;
const PROJECTS_PER_CALLER = 40;
const CONNECTIONS = 8;
const TURN_MS = 2_000;
const WARM_UP_MS = 300;
const WARM_ROUND_MS = 5_000;
const POOL = 10;
const LOGINS = 30;
const API = '/api/v1/projects';

/** Runs the load in a process of its own; resolves with its figures. */
async function load(base, requests, milliseconds = TURN_MS) {
  const { hostname: host, port } = new URL(base);
  const child = spawn(process.execPath, [join(import.meta.dirname, 'lib/api/load.mjs')], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify({ host, port: Number(port), connections: CONNECTIONS, milliseconds, warmUp: WARM_UP_MS, requests }));
  let text = '';
  child.stdout.on('data', (chunk) => (text += chunk));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`the load ended with ${code}`);
  const figures = JSON.parse(text);
  if (Object.keys(figures.failures).length > 0) throw new Error(`${base} answered ${JSON.stringify(figures.failures)}`);
  return figures;
}

/** One turn, with the processor time that each answer cost the server and the database. */
async function turn(side, requests, database, milliseconds = TURN_MS) {
  const before = [await cpuOfTree(side.pid), await cpuOfTree(database)];
  const figures = await load(side.url, requests, milliseconds);
  const after = [await cpuOfTree(side.pid), await cpuOfTree(database)];
  // The warm-up costs, too.
  const answers = (figures.answers * (milliseconds + WARM_UP_MS)) / milliseconds;
  const [server, postgres] = after.map((seconds, index) => ((seconds - before[index]) * 1_000) / answers);
  return { ...figures, server, postgres };
}

/** The bare handler, as a process of its own under the same flags. */
async function startBare(connectionString, callers) {
  const child = fork(join(import.meta.dirname, 'lib/api/bare-server.mjs'), {
    execArgv: ['--enable-source-maps', '--max-semi-space-size=4'],
    env: {
      ...process.env,
      NODE_ENV: 'production',
      BENCH_ROOT: ROOT,
      BENCH_DATABASE_URL: connectionString,
      BENCH_POOL: String(POOL),
      BENCH_CALLERS: JSON.stringify(callers.map(({ teams }) => teams)),
    },
  });
  const { port } = await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`the bare server ended with ${code}`)));
  });
  return { url: `http://127.0.0.1:${port}`, pid: child.pid, stop: () => child.disconnect() };
}

async function login(url, email) {
  const response = await fetch(`${url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password: PASSWORD }),
  });
  const body = await response.json();
  if (response.status !== 200) throw new Error(`log-in of ${email}: ${JSON.stringify(body)}`);
  return body.accessToken;
}

/** The callers with their tokens, teams and projects. */
async function loggedIn(client, url) {
  const callers = [];
  for (const caller of CALLERS) {
    const email = caller.user === 0 ? EMAIL : emailOf(caller.user);
    const seen = await whatCallersSee(client, { user: caller.user, email }, PROJECTS_PER_CALLER);
    callers.push({ ...caller, ...seen, token: await login(url, email) });
  }
  return callers;
}

/** The requests of a phase, to Hithe and to the bare handler. */
function requestsOf(phase, callers) {
  const hithe = callers.flatMap(({ token, projects }) =>
    phase === 'list' ? [{ path: `${API}?limit=${PAGE}`, token }] : projects.map((id) => ({ path: `${API}/${id}`, token })),
  );
  const bare = callers.flatMap(({ projects }, caller) =>
    phase === 'list' ? [{ path: `/projects?limit=${PAGE}&caller=${caller}` }] : projects.map((id) => ({ path: `/projects/${id}` })),
  );
  return { hithe, bare };
}

/** Both sides must say the very same, or the figures compare nothing. */
async function assertSame(sides, { hithe, bare }) {
  const read = async (base, { path, token }) =>
    (await fetch(base + path, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })).text();
  for (const [index, request] of hithe.entries()) {
    const [ours, theirs] = await Promise.all([read(sides.hithe.url, request), read(sides.bare.url, bare[index])]);
    if (ours !== theirs)
      throw new Error(`${request.path} and ${bare[index].path} differ:\n${ours.slice(0, 2_000)}\n${theirs.slice(0, 2_000)}`);
  }
}

async function measure(sides, callers, database, runs) {
  const figures = {};
  for (const phase of ['list', 'get']) {
    const requests = requestsOf(phase, callers);
    await assertSame(sides, requests);
    const turns = { hithe: [], bare: [] };
    for (let run = -1; run < runs; run += 1) {
      for (const name of ['hithe', 'bare']) {
        // Before the first round both are warmed up: compiled, with their statements prepared on each connection.
        const seen = await turn(sides[name], requests[name], database, run < 0 ? WARM_ROUND_MS : TURN_MS);
        if (run >= 0) turns[name].push(seen);
      }
    }
    figures[phase] = { hithe: medians(turns.hithe), bare: medians(turns.bare), turns };
  }
  return figures;
}

function medians(turns) {
  return Object.fromEntries(
    ['perSecond', 'p50', 'p99', 'server', 'postgres'].map((name) => [name, summarise(turns.map((each) => each[name])).median]),
  );
}

/** A log-in and a bare check of the same password, in turns; milliseconds. */
async function measureLogins(client, url) {
  const { rows } = await client.query('SELECT password_hash FROM users WHERE email = $1', [EMAIL]);
  const times = { login: [], argon2: [] };
  for (let index = 0; index < LOGINS; index += 1) {
    let began = performance.now();
    await login(url, emailOf(100 + index));
    times.login.push(performance.now() - began);
    began = performance.now();
    if (!(await verify(rows[0].password_hash, PASSWORD))) throw new Error('the password is another one');
    times.argon2.push(performance.now() - began);
  }
  return { login: summarise(times.login), argon2: summarise(times.argon2) };
}

/** For one caller: how many statements a request takes, and the plans of those that read projects. */
async function lookCloser(client, appUrl, logFile, sides, caller) {
  const { pathname } = new URL(appUrl);
  const database = pathname.slice(1);
  const result = {};
  for (const [phase, path] of [
    ['list', `${API}?limit=${PAGE}`],
    ['get', `${API}/${caller.projects[0]}`],
  ]) {
    const statements = await statementsOf(client, logFile, database, () =>
      fetch(sides.hithe.url + path, { headers: { authorization: `Bearer ${caller.token}` } }).then((response) => response.text()),
    );
    const app = new pg.Client({ connectionString: appUrl });
    await app.connect();
    try {
      result[phase] = { statements: statements.map(({ sql }) => sql), plans: await plansOf(app, statements, 'projects') };
    } finally {
      await app.end();
    }
  }
  return result;
}

const milliseconds = (value) => `${value.toFixed(value < 10 ? 2 : 1)} ms`;

function comparison(title, { hithe, bare }) {
  const row = (name, figures) => [
    name,
    figures.perSecond.toFixed(0),
    milliseconds(figures.p50),
    milliseconds(figures.p99),
    milliseconds(figures.server),
    milliseconds(figures.postgres),
  ];
  const quotient = (name) => ratio(hithe[name] / bare[name]);
  return table([
    [title, 'answers/s', 'p50', 'p99', 'server CPU', 'database CPU'],
    row('hithe', hithe),
    row('bare Nest handler', bare),
    ['ratio', quotient('perSecond'), quotient('p50'), quotient('p99'), quotient('server'), quotient('postgres')],
  ]);
}

function growth(few, many) {
  const rows = ['list', 'get'].flatMap((phase) =>
    ['hithe', 'bare'].map((name) => {
      const [a, b] = [few[phase][name], many[phase][name]];
      return [`${phase}, ${name}`, a.perSecond.toFixed(0), b.perSecond.toFixed(0), ratio(b.perSecond / a.perSecond), ratio(b.p99 / a.p99)];
    }),
  );
  return table([['growth', 'few', 'many', 'throughput', 'p99'], ...rows]);
}

function report({ counts, few, many, logins, closer }, description, runs) {
  const statement = (sql) => `    ${sql.replaceAll(/\s+/g, ' ').slice(0, 180)}`;
  const details = Object.entries(closer).flatMap(([phase, { statements, plans }]) => [
    `${phase}: ${statements.length} statements for one request of a ${CALLERS[4].name}`,
    ...statements.map(statement),
    '',
    ...plans.flatMap((plan) => [plan, '']),
  ]);
  return [
    `${description}, ${runs} runs of ${TURN_MS / 1_000} s in turns, ${CONNECTIONS} connections; ${USERS} users, ${TEAMS} teams`,
    '',
    comparison(`list of ${PAGE}, ${counts.many} projects`, many.list),
    '',
    comparison(`get, ${counts.many} projects`, many.get),
    '',
    `From ${counts.few} to ${counts.many} projects:`,
    growth(few, many),
    '',
    table([
      ['log-in', 'median', 'worst'],
      ['POST /auth/login', milliseconds(logins.login.median), milliseconds(logins.login.worst)],
      ['argon2id alone', milliseconds(logins.argon2.median), milliseconds(logins.argon2.worst)],
      ['ratio', ratio(logins.login.median / logins.argon2.median), ratio(logins.login.worst / logins.argon2.worst)],
    ]),
    '',
    ...details,
  ].join('\n');
}

/** Runs it all in an installation of its own, with the embedded database, everything as `npm start` does it. */
export async function bench({ runs }) {
  const installation = await Installation.create();
  let bare;
  let client;
  try {
    await installation.start(['--no-example'], { HITHE_DATABASE_POOL: String(POOL), HITHE_ACCESS_TOKEN_TTL: '3600' });
    const { superuser, app, logFile } = await databaseOf(installation);
    client = new pg.Client({ connectionString: superuser });
    await client.connect();
    await seedPeople(client, { users: USERS, teams: TEAMS, adminEmail: EMAIL });
    const counts = { few: await seedProjects(client, 1, FIRST_TEAMS, PROJECTS_PER_TEAM) };
    const callers = await loggedIn(client, installation.url);
    const database = await installation.pidOf('database');
    bare = await startBare(superuser, callers);
    const sides = { hithe: { url: installation.url, pid: await installation.pidOf('control-plane') }, bare };
    const few = await measure(sides, callers, database, runs);
    counts.many = await seedProjects(client, FIRST_TEAMS + 1, TEAMS, PROJECTS_PER_TEAM);
    const many = await measure(sides, callers, database, runs);
    const logins = await measureLogins(client, installation.url);
    const closer = await lookCloser(client, app, logFile, sides, callers[4]);
    const figures = { counts, few, many, logins, closer };
    return { text: report(figures, await machine(), runs), figures };
  } finally {
    bare?.stop();
    await client?.end();
    await installation.dispose();
  }
}

/** Addresses of the installation's own database: for its owner, and as the control plane knows it. */
async function databaseOf(installation) {
  const { pathsBelow } = await import(pathToFileURL(join(ROOT, 'dist/src/config/home.js')).href);
  const paths = pathsBelow(installation.home);
  const app = (await readFile(paths.control.databaseUrl, 'utf8')).trim();
  const superuser = new URL(app);
  superuser.username = 'postgres';
  superuser.password = (await readFile(join(paths.pg.root, 'superuser-password'), 'utf8')).trim();
  return { superuser: superuser.href, app, logFile: paths.logs.postgres };
}
