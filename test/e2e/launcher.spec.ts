import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTimeOf } from '../../bin/lib/process-identity.mjs';
import { until } from '../support/until.js';
import { freePort, launch, launchToEnd, type Launched } from '../support/launched.js';

describe('npm start', () => {
  let home: string;
  let port: number;
  let running: Launched | undefined;

  beforeAll(async () => {
    home = await mkdtemp('/var/tmp/hithe-e2e-');
    await chmod(home, 0o755);
    port = await freePort();
  });
  afterAll(async () => {
    await running?.end('SIGINT');
    await rm(home, { recursive: true, force: true });
  });

  it('brings up a platform that is well, and keeps its secrets to itself', async () => {
    running = await launch({ home, port, arguments: ['--no-example'] });
    const health = (await (await fetch(`${running.url}/api/v1/health`)).json()) as { status: string };
    expect(health.status).toBe('ok');
    for (const secret of ['initial-admin.json', 'agent/node.json', 'control/secrets/database-url']) {
      expect((await stat(join(home, secret))).mode & 0o077).toBe(0);
    }
    const admin = JSON.parse(await readFile(join(home, 'initial-admin.json'), 'utf8')) as { email: string; password: string };
    const login = await fetch(`${running.url}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: admin.email, password: admin.password }),
    });
    expect(login.status).toBe(200);
  });

  it('refuses a second launcher on the same home, and says who is there', async () => {
    const { code, output } = await launchToEnd({ home, port: await freePort(), arguments: ['--no-example'] });
    expect(code).toBe(1);
    expect(output).toContain(`Another npm start (pid ${running?.process.pid ?? ''}) runs on ${home}`);
  });

  it('refuses a network port that is taken, and says by whom', async () => {
    const other = await mkdtemp('/var/tmp/hithe-e2e-');
    await chmod(other, 0o755);
    const { code, output } = await launchToEnd({ home: other, port, arguments: ['--no-example'] });
    await rm(other, { recursive: true, force: true });
    expect(code).toBe(1);
    expect(output).toMatch(new RegExp(`Network port ${port} is taken by .*\\(pid \\d+, uid \\d+\\)`));
  });

  it('adopts what runs after it was killed itself', async () => {
    const before = await pids(home);
    await running?.end('SIGKILL');
    running = await launch({ home, port, arguments: ['--no-example'] });
    expect(await pids(home)).toEqual(before);
    expect(running.output()).toContain('was running');
  });

  it('starts the control plane again when that is killed', async () => {
    const before = (await pids(home))['control-plane'];
    process.kill(before ?? 0, 'SIGKILL');
    await until(async () => (await pids(home))['control-plane'] !== before);
    await until(async () => (await fetch(`${running?.url ?? ''}/api/v1/health/live`).catch(() => undefined))?.status === 200);
  });

  it('stops everything that it started', async () => {
    const all = Object.values(await pids(home));
    expect(await running?.end('SIGINT')).toBe(0);
    running = undefined;
    for (const pid of all) expect(startTimeOf(pid)).toBeUndefined();
  });
});

/** Of the platform's processes, by name. */
async function pids(home: string): Promise<Record<string, number>> {
  const service = async (name: string): Promise<number> =>
    (JSON.parse(await readFile(join(home, `run/${name}.json`), 'utf8')) as { pid: number }).pid;
  const postgres = (await readFile(join(home, 'pg/data/postmaster.pid'), 'utf8')).split('\n')[0];
  return { 'control-plane': await service('control-plane'), agent: await service('agent'), postgres: Number(postgres) };
}
