import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { MARK_VARIABLE, endOrphans, sandboxMark } from '../../src/modules/runner/sandbox/orphans.js';
import { childrenOf, isAlive, processStat } from '../../src/modules/runner/support/proc.js';
import { until } from '../support/until.js';

jest.setTimeout(30_000);

describe('one-off sandboxes of an agent that was killed', () => {
  const left: { pid: number; startTime: number }[] = [];
  afterAll(() => {
    for (const { pid, startTime } of left) if (isAlive(pid, startTime)) process.kill(pid, 'SIGKILL');
  });

  /** A sandbox whose monitor is dead, as one that was killed in its set-up. */
  async function orphan(mark: string): Promise<{ pid: number; startTime: number }> {
    const sandbox = ['--unshare-user', '--unshare-pid', '--ro-bind', '/', '/', 'sleep', '1000'];
    const monitor: ChildProcess = spawn('bwrap', sandbox, { stdio: 'ignore', env: { PATH: process.env['PATH'], [MARK_VARIABLE]: mark } });
    // Its first process, as soon as that has begun the command.
    const first = (): number | undefined => childrenOf(monitor.pid ?? -1).find((pid) => childrenOf(pid).length > 0);
    await until(() => first() !== undefined);
    const found = processStat(first() ?? -1);
    if (!found) throw new Error('The sandbox did not start.');
    left.push(found);
    const exit = once(monitor, 'exit');
    monitor.kill('SIGKILL');
    await exit;
    return found;
  }

  it('are ended by the next agent of the same home, and only by that', async () => {
    const mine = await orphan(sandboxMark('/srv/one/agent'));
    const other = await orphan(sandboxMark('/srv/two/agent'));
    expect(endOrphans(sandboxMark('/srv/one/agent'))).toBe(1);
    await until(() => !isAlive(mine.pid, mine.startTime));
    expect(isAlive(other.pid, other.startTime)).toBe(true);
    expect(endOrphans(sandboxMark('/srv/one/agent'))).toBe(0);
  });
});
