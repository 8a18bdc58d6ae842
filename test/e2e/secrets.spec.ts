import { createHash, randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { eventually } from './support/eventually.js';
import { Installation } from './support/installation.js';
import { addressOf, type StatusShape } from './support/shapes.js';

jest.setTimeout(600_000);

/** A secret that is nowhere else in the world. */
const marked = (name: string): string => `marked-${name}-${randomBytes(16).toString('hex')}`;
const SERVER = `
const { createHash } = require('node:crypto');
require('node:http').createServer((request, response) => {
  response.end(createHash('sha256').update(process.env.API_KEY ?? 'none').digest('hex'));
}).listen(process.env.PORT, '127.0.0.1');
`;

describe('a marked secret', () => {
  let hithe: Installation;
  let directory: string;
  let said = '';
  const first = marked('first');
  const second = marked('second');
  const password = marked('password');
  const secrets = [first, second, password];

  beforeAll(async () => {
    hithe = await Installation.create();
    directory = mkdtempSync(join(tmpdir(), 'hithe-secrets-'));
    mkdirSync(join(directory, 'app'));
    writeFileSync(join(directory, 'app/package.json'), '{"name":"shop","scripts":{"start":"node server.js"}}');
    writeFileSync(join(directory, 'app/server.js'), SERVER);
    writeFileSync(
      join(directory, 'hithe.yaml'),
      'name: shop\ncomponents:\n  db: {port: postgres, version: "17"}\n  web: {port: nodejs-app, version: "24", source: {path: ./app}, needs: [db]}\n',
    );
    await hithe.start(['--no-example']);
    await hithe.login();
  });
  afterAll(async () => {
    await hithe.dispose();
    rmSync(directory, { recursive: true });
  });

  /** Runs a command beside hithe.yaml and keeps all that it printed. */
  const run = async (args: string[], stdin?: string): Promise<string> => {
    const ran = await hithe.hithe(args, { cwd: directory, ...(stdin === undefined ? {} : { stdin }) });
    said += ran.stdout + ran.stderr;
    if (ran.code !== 0) throw new Error(`hithe ${args.join(' ')} ended with ${ran.code ?? 'a signal'}:\n${ran.stdout}${ran.stderr}`);
    return ran.stdout;
  };
  const status = async (): Promise<StatusShape> => JSON.parse(await run(['status', 'shop', '--json'])) as StatusShape;
  const answer = async (): Promise<string> => (await fetch(addressOf(await status(), 'web'))).text();
  const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
  const uses = (secret: string): Promise<boolean> => eventually('web has the secret', 60, async () => (await answer()) === digest(secret));
  const found = (content: Buffer | string): string[] =>
    secrets.filter((secret) => content.includes(secret) || content.includes(Buffer.from(secret).toString('base64').slice(2, 40)));

  it('R43: set, used by what runs, and rotated, is nowhere in clear but in the environment of the component', async () => {
    await run(['apply']);
    await run(['secrets', 'set', 'API_KEY=-'], first);
    await run(['secrets', 'set', 'POSTGRES_PASSWORD=-', '-c', 'db'], password);
    await run(['deploy']);
    await uses(first);
    await run(['secrets', 'set', 'API_KEY=-', '--deploy'], second);
    await uses(second);
    await run(['secrets', 'rotate-key']);
    await run(['restart', 'shop', 'web']);
    await uses(second);
    // Errors that have the value in their hands.
    for (const args of [
      ['secrets', 'set', 'HITHE_X=-'],
      ['secrets', 'set', 'POSTGRES_PASSWORD=-', '-c', 'wb'],
    ]) {
      const ran = await hithe.hithe(args, { cwd: directory, stdin: second });
      expect(ran.code).not.toBe(0);
      said += ran.stdout + ran.stderr;
    }
    await run(['plan']);
    await run(['secrets', 'list', '-c', 'web', '--json']);
    await run(['logs', 'shop']);
    await run(['deployments', 'shop', '--json']);
    await answersOfTheApi();

    expect(found(said)).toEqual([]);
    expect(found(hithe.output)).toEqual([]);
    expect(await tablesWithSecrets()).toEqual([]);
    expect(filesWithSecrets(hithe.home)).toEqual([]);
    expect(processesWithSecrets('cmdline', () => false)).toEqual([]);
    expect(processesWithSecrets('environ', isOfTheComponent)).toEqual([]);
    // The search finds what is there.
    expect(processesWithSecrets('environ', () => false).length).toBeGreaterThan(0);
    expect((await hithe.ok(['secrets', 'reveal', 'API_KEY'], { cwd: directory })).trim()).toBe(second);
    expect(await tablesWithSecrets()).toEqual([]);
    expect(filesWithSecrets(hithe.home)).toEqual([]);
  });

  it('R43: printed by a component that fails, is blanked out in the failure, in its events, and in the logs', async () => {
    writeFileSync(join(directory, 'app/server.js'), 'console.log("the key is", process.env.API_KEY); process.exit(7);');
    const ran = await hithe.hithe(['deploy'], { cwd: directory });
    expect(ran.code).not.toBe(0);
    expect(ran.stdout + ran.stderr).toContain('the key is ••••••••');
    const logs = await hithe.ok(['logs', 'shop'], { cwd: directory });
    expect(found(ran.stdout + ran.stderr + logs)).toEqual([]);
    expect(await tablesWithSecrets()).toEqual([]);
    for (const name of readdirSync(join(hithe.home, 'logs'))) expect(found(readFileSync(join(hithe.home, 'logs', name)))).toEqual([]);
    writeFileSync(join(directory, 'app/server.js'), SERVER);
  });

  it('R45: stays readable when the control plane is killed in the middle of a rotation', async () => {
    const values = Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`KEPT_${index}`, `kept value ${index}`]));
    const file = Object.entries(values)
      .map(([name, value]) => `${name}='${value}'\n`)
      .join('');
    await run(['secrets', 'import', '-', '-c', 'db'], file);
    await run(['secrets', 'rotate-key', '--no-wait']);
    process.kill(await hithe.pidOf('control-plane'), 'SIGKILL');
    const keys = await eventually('all is wrapped by the new key', 120, async () => {
      const all = JSON.parse(await hithe.ok(['secrets', 'keys', '--json'])) as { active: boolean; rows: number }[];
      return all.every(({ active, rows }) => active || rows === 0) && all;
    });
    expect(keys.length).toBeGreaterThan(1);
    await run(['secrets', 'rotate-key', '--retire', '--confirm', 'retire']);
    const revealed = JSON.parse(await hithe.ok(['secrets', 'reveal', '-c', 'db', '--json'], { cwd: directory })) as {
      name: string;
      value: string;
    }[];
    expect(Object.fromEntries(revealed.filter(({ name }) => name.startsWith('KEPT_')).map(({ name, value }) => [name, value]))).toEqual(
      values,
    );
  });

  /** What the API says of the project, whoever may read it. */
  async function answersOfTheApi(): Promise<void> {
    const token = (await hithe.ok(['auth', 'token'])).trim();
    const get = async (path: string): Promise<unknown> => {
      const response = await fetch(`${hithe.url}/api/v1/${path}`, { headers: { authorization: `Bearer ${token}` } });
      const text = await response.text();
      said += text;
      return JSON.parse(text);
    };
    const [project] = ((await get('projects')) as { items: { id: string }[] }).items;
    const at = `projects/${project?.id ?? ''}`;
    for (const path of [
      '',
      '/status',
      '/health',
      '/deployments',
      '/variables',
      '/variables?component=web',
      '/variables?component=db',
      '/variables/API_KEY/history',
    ])
      await get(`${at}${path}`);
  }

  /** Each table of the database with a row that holds one, whoever's it is. */
  async function tablesWithSecrets(): Promise<string[]> {
    const superuser = readFileSync(join(hithe.home, 'pg/superuser-password'), 'utf8').trim();
    const client = new pg.Client({ host: join(hithe.home, 'pg/run'), user: 'postgres', password: superuser, database: 'hithe' });
    await client.connect();
    try {
      const { rows } = await client.query<{ name: string }>(
        `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
      );
      expect(rows.length).toBeGreaterThan(20);
      const holding: string[] = [];
      for (const { name } of rows) {
        for (const secret of secrets) {
          const hex = Buffer.from(secret).toString('hex');
          const { rowCount } = await client.query(
            `SELECT 1 FROM ${name} t WHERE t::text LIKE '%' || $1 || '%' OR t::text LIKE '%' || $2 || '%' LIMIT 1`,
            [secret, hex],
          );
          if (rowCount !== 0) holding.push(name);
        }
      }
      return holding;
    } finally {
      await client.end();
    }
  }

  function filesWithSecrets(root: string): string[] {
    return readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => !path.startsWith(join(hithe.home, 'app/')))
      .filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isFile() === true && found(readFileSync(path)).length > 0);
  }

  /** Every process of the machine but those that are meant to have it. */
  function processesWithSecrets(part: 'cmdline' | 'environ', isMeant: (pid: string) => boolean): string[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          return found(readFileSync(`/proc/${pid}/${part}`)).length > 0 && !isMeant(pid);
        } catch {
          // It ended meanwhile.
          return false;
        }
      });
  }
});

/** Whether a process runs in a sandbox of the project: its service, or the check of its health. */
function isOfTheComponent(pid: string): boolean {
  const isInSandbox = readlinkSync(`/proc/${pid}/ns/pid`) !== readlinkSync('/proc/self/ns/pid');
  return isInSandbox && readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes('PROJECT_NAME=shop');
}
