import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { UsageEntry } from '../../src/link/messages.js';
import { allPids, pidNamespaceOf, readIfThere } from '../../src/modules/runner/support/proc.js';
import { until } from '../support/until.js';
import { desired } from './support/desired.js';
import { MODES, NodeUnderTest } from './support/node-under-test.js';

// Real processes on a machine that may be busy.
jest.setTimeout(120_000);

const FAST = { HITHE_USAGE_INTERVAL: '0.2' };

describe.each(MODES)('what components use, in %s mode', (mode) => {
  let node: NodeUnderTest;
  beforeAll(async () => {
    node = await NodeUnderTest.open(mode);
    await node.start(FAST);
  });
  afterAll(() => node.close());

  /** Each report once, however often it came. */
  function entriesOf(component: string): UsageEntry[] {
    const reports = new Map(node.control.usage.map((report) => [`${report.stream} ${report.sequence}`, report]));
    return [...reports.values()].flatMap(({ entries }) => entries).filter((entry) => entry.component === component);
  }
  // In whole ticks: sums of decimals are a hair off.
  const reported = (component: string): number =>
    Math.round(entriesOf(component).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0) * 100) / 100;

  /** Starts a busy component; its sandbox is known by the pid namespace of its application. */
  async function busy(component: string): Promise<number> {
    const allocation = desired({ port: 'busy', component });
    node.control.want(...node.control.wanted, allocation);
    const { pid = 0 } = await node.control.running(allocation.id);
    return pidNamespaceOf(pid) ?? 0;
  }

  it('is counted as the kernel counts it: nothing more, and all of it in the end', async () => {
    const namespace = await busy('counted');
    await until(() => cpuOf(namespace) > 1, 60_000);
    const sofar = cpuOf(namespace);
    await until(() => reported('counted') >= sofar, 60_000);
    expect(reported('counted')).toBeLessThanOrEqual(cpuOf(namespace));
    const [entry] = entriesOf('counted');
    expect(entry).toMatchObject({ tenant: 7, project: 'shop', day: expect.stringMatching(/^\d{4}-\d\d-\d\d$/) });
    expect(entriesOf('counted').reduce((sum, { memoryByteSeconds }) => sum + memoryByteSeconds, 0)).toBeGreaterThan(0);
    expect(node.control.invalid).toEqual([]);
  });

  it('is counted once, though the agent is killed again and again', async () => {
    const namespace = await busy('twice');
    for (let round = 0; round < 4; round += 1) {
      const before = node.control.usage.length;
      await until(() => node.control.usage.length > before, 60_000);
      await node.end('SIGKILL');
      const meanwhile = cpuOf(namespace);
      await until(() => cpuOf(namespace) > meanwhile + 0.1, 60_000);
      await node.start(FAST);
    }
    const sofar = cpuOf(namespace);
    await until(() => reported('twice') >= sofar, 60_000);
    expect(reported('twice')).toBeLessThanOrEqual(cpuOf(namespace));
  });

  it('is reported again, word for word, until it is confirmed', async () => {
    node.control.confirmsUsage = false;
    const before = node.control.usage.length;
    await until(() => node.control.usage.length > before + 1, 60_000);
    await node.end('SIGKILL');
    const seen = node.control.usage.length;
    await node.start(FAST);
    await until(() => node.control.usage.length > seen, 60_000);
    const last = node.control.usage.at(-1);
    expect(node.control.usage.filter(({ sequence, stream }) => sequence === last?.sequence && stream === last.stream)).not.toHaveLength(1);
    for (const report of node.control.usage.slice(before + 1)) expect(report).toEqual(last);
    node.control.confirmsUsage = true;
    await until(() => node.control.usage.at(-1)?.sequence === (last?.sequence ?? 0) + 1, 60_000);
  });

  it('on disk is what the directory holds, and no link leads out of it', async () => {
    await busy('stored');
    const data = join(node.home, 'tenants/acme/shop/stored/data');
    writeFileSync(join(data, 'three-megabytes'), Buffer.alloc(3 * 1024 * 1024, 1));
    mkdirSync(join(data, 'deep'));
    symlinkSync('/', join(data, 'deep', 'everything'));
    const newest = (): number => entriesOf('stored').at(-1)?.stored?.bytes ?? 0;
    await until(() => newest() >= 3 * 1024 * 1024, 60_000);
    expect(newest()).toBeLessThan(4 * 1024 * 1024);
  });
});

/** Processor seconds of a pid namespace, those included that ended in it and were waited for. A look may miss a child that just ended, so it looks thrice. */
function cpuOf(namespace: number): number {
  return Math.max(...[1, 2, 3].map(() => ticksOf(namespace))) / 100;
}

function ticksOf(namespace: number): number {
  return allPids()
    .filter((pid) => pidNamespaceOf(pid) === namespace)
    .map((pid) => readIfThere(`/proc/${pid}/stat`) ?? '')
    .flatMap((text) =>
      text
        .slice(text.lastIndexOf(')') + 2)
        .split(' ')
        .slice(11, 15),
    )
    .reduce((sum, field) => sum + Number(field), 0);
}
