import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { DesiredAllocation, LogLine } from '../../src/link/messages.js';
import { until } from '../support/until.js';
import { PROJECT_ID, ask, ok } from './support/desired.js';
import { NodeUnderTest, isRoot } from './support/node-under-test.js';
import { systemUser } from './support/system-user.js';

// Real processes on a machine that may be busy.
jest.setTimeout(90_000);

describe('logs of components', () => {
  let node: NodeUnderTest;
  let web: DesiredAllocation;
  let api: DesiredAllocation;
  beforeAll(async () => {
    node = await NodeUnderTest.open(isRoot ? 'root' : 'rootless');
    await node.start();
    web = await ok({ component: 'web' });
    api = await ok({ component: 'api' });
    node.control.want(web, api);
    await node.control.running(web.id);
    await node.control.running(api.id);
  });
  afterAll(() => node.close());

  const say = (to: DesiredAllocation, text: string): Promise<string> => ask(to, `/log?text=${encodeURIComponent(text)}`);
  const stream = (patch: Partial<Parameters<NodeUnderTest['control']['logs']>[0]> = {}): string =>
    node.control.logs({ projectId: PROJECT_ID, lines: 0, follow: true, ...patch });
  const lines = (id: string): LogLine[] => node.control.lines.get(id) ?? [];

  it('are followed, of one component or of all, each line with its name and time', async () => {
    const all = stream();
    const one = stream({ component: 'web' });
    // A stream is live once its first line came through.
    await until(async () => {
      await say(web, 'probe');
      return lines(all).length > 0 && lines(one).length > 0;
    });
    await say(web, 'from web');
    await say(api, 'from api');
    await until(() => ['from web', 'from api'].every((text) => node.control.texts(all).includes(text)));
    const found = lines(all).find(({ text }) => text === 'from api');
    expect(found).toMatchObject({
      component: 'api',
      allocationId: api.id,
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/),
    });
    expect(Math.abs(Date.parse(found?.at ?? '') - Date.now())).toBeLessThan(60_000);
    expect(node.control.texts(one)).not.toContain('from api');
  });

  it('are merged by time, the newest lines of all', async () => {
    const seen = stream();
    await until(async () => {
      await say(web, 'seen?');
      return lines(seen).length > 0;
    });
    // Each is stamped by its own component's writer when that reads it: a line is waited for before the next.
    for (const [to, text] of [
      [web, 'm1'],
      [api, 'm2'],
      [web, 'm3'],
      [api, 'm4'],
    ] as const) {
      await say(to, text);
      await until(() => node.control.texts(seen).includes(text));
    }
    const follow = stream({ lines: 3 });
    await until(() => lines(follow).length >= 3);
    expect(node.control.texts(follow)).toEqual(['m2', 'm3', 'm4']);
    expect(stream({ lines: 0, follow: false })).toBeDefined();
  });

  it('go on after a time stamp, without a gap or a repetition', async () => {
    for (let index = 0; index < 20; index++) await say(web, `resume-${index}`);
    const first = stream({ lines: 100 });
    await until(() => node.control.texts(first).includes('resume-19'));
    const at = lines(first).find(({ text }) => text === 'resume-7')?.at ?? '';
    const second = stream({ component: 'web', after: at });
    await until(() => node.control.texts(second).includes('resume-19'));
    await say(web, 'resume-end');
    await until(() => node.control.texts(second).includes('resume-end'));
    const wanted = Array.from({ length: 12 }, (_, index) => `resume-${index + 8}`);
    expect(node.control.texts(second)).toEqual([...wanted, 'resume-end']);
  });

  it('survive rotation while they are followed: every line once, in order', async () => {
    const follow = stream({ component: 'web' });
    await until(async () => {
      await say(web, 'ready?');
      return lines(follow).length > 0;
    });
    const filler = 'x'.repeat(4_000);
    for (let index = 0; index < 600; index++) await say(web, `rotated-${index} ${filler}`);
    const numbers = (): number[] =>
      node.control
        .texts(follow)
        .filter((text) => text.startsWith('rotated-'))
        .map((text) => Number(/^rotated-(\d+)/.exec(text)?.[1]));
    await until(() => numbers().length >= 600);
    expect(numbers()).toEqual(Array.from({ length: 600 }, (_, index) => index));
    expect(readdirSync(directory(web)).filter((name) => name.startsWith('@')).length).toBeGreaterThan(1);
    const past = stream({ component: 'web', lines: 500, follow: false });
    await until(() => lines(past).length >= 500);
    expect(node.control.texts(past).at(-1)).toBe(`rotated-599 ${filler}`);
  });

  it('include an allocation that comes later', async () => {
    const all = stream();
    const late = await ok({ component: 'late' });
    node.control.want(web, api, late);
    await node.control.running(late.id);
    await until(() => lines(all).some(({ component }) => component === 'late'));
  });

  it('cannot be read or cut by who writes them', () => {
    const place = directory(web);
    if (isRoot) expect(statSync(place).uid).toBe(systemUser('hithe-log').uid);
    expect(statSync(place).mode & 0o077).toBe(0);
    const opened = readdirSync(`/proc/${node.control.of(web.id)?.pid ?? 0}/fd`);
    const mounts = readFileSync(`/proc/${node.control.of(web.id)?.pid ?? 0}/mountinfo`, 'utf8');
    expect(opened.length).toBeGreaterThan(2);
    expect(mounts).not.toContain('/agent/');
  });

  it('are written by a new writer when the old one dies, and the component does not notice', async () => {
    const { pid: writer } = JSON.parse(readFileSync(join(directory(web), '../log-writer.json'), 'utf8')) as { pid: number };
    const { pid, restarts } = await node.control.running(web.id);
    process.kill(writer, 'SIGKILL');
    await say(web, 'into the pipe');
    const follow = stream({ component: 'web', lines: 5 });
    await until(() => node.control.texts(follow).includes('into the pipe'));
    expect(await node.control.running(web.id)).toMatchObject({ pid, restarts });
  });

  const directory = (of: DesiredAllocation): string => join(node.home, 'agent/allocations', of.id, 'log');
});
