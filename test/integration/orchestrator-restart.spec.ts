import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DesiredAllocation, ObservedAllocation } from '../../src/link/messages.js';
import type { TestUser } from '../support/application.js';
import { guestbook, TestPlatform } from '../support/platform.js';
import { obedient, type Script, type ScriptedAgent } from '../support/scripted-agent.js';
import { until } from '../support/until.js';

/** Everything is well, but this answer to the new release of `web` is held back. */
const holdBack =
  (desired: DesiredAllocation['desired'], instead?: Partial<ObservedAllocation>): Script =>
  (wanted) =>
    wanted.component === 'web' && wanted.desired === desired ? instead : obedient(wanted);

describe('a deployment survives the end of the control plane', () => {
  let platform: TestPlatform;
  let user: TestUser;
  let agent: ScriptedAgent;
  let digests: string[];

  beforeAll(async () => {
    platform = await TestPlatform.start();
    user = await platform.application.user('user@example.org');
    digests = [];
    for (const text of ['one', 'two', 'three']) digests.push(await platform.upload(user, text));
  });

  afterAll(async () => {
    await platform.stop();
  });

  /** A running project, a deployment of its second release that is in `state`, and the agent that keeps it there. */
  async function halted(name: string, state: string, script: Script): Promise<{ projectId: string; id: string }> {
    agent = await platform.agent();
    const projectId = await platform.apply(user, { ...guestbook(digests[0] ?? ''), name });
    expect(await platform.run(user, projectId, 'deploy')).toMatchObject({ state: 'succeeded' });
    agent.script = (wanted) => (wanted.project === name ? script(wanted) : obedient(wanted));
    await platform.apply(user, { ...guestbook(digests[1] ?? '', { web: { health: { deadline: 60 } } }), name });
    const id = await platform.start(user, projectId, 'deploy');
    await until(async () => (await platform.deployment(user, id)).state === state);
    return { projectId, id };
  }

  async function restart(): Promise<void> {
    platform = await platform.restart();
    agent = await platform.agent();
  }

  it.each<[string, Script]>([
    ['preparing', holdBack('prepared', { state: 'preparing', step: 'build' })],
    ['starting', (wanted) => (wanted.release === 2 ? holdBack('running', { state: 'starting' })(wanted) : obedient(wanted))],
    ['verifying', obedient],
    ['draining', holdBack('removed', { state: 'stopping' })],
  ])('while it is %s', async (state, script) => {
    const { projectId, id } = await halted(`while-${state}`, state, script);
    await restart();
    expect(await platform.ended(user, id)).toMatchObject({ state: 'succeeded', release: 2 });
    expect(await platform.status(user, projectId)).toMatchObject({ state: 'running', health: 'healthy', release: 2 });
    await until(() => agent.desired.filter((wanted) => wanted.project === `while-${state}` && wanted.component === 'web').length === 1);
    await agent.end();
  });

  it('while it is aborting', async () => {
    const script: Script = (wanted) => {
      if (wanted.release === 2 && wanted.desired === 'running') return { state: 'failed', exit: { code: 3 }, logTail: ['no'] };
      return wanted.release === 2 ? holdBack('removed', { state: 'stopping' })(wanted) : obedient(wanted);
    };
    const { projectId, id } = await halted('while-aborting', 'aborting', script);
    await restart();
    expect(await platform.ended(user, id)).toMatchObject({ state: 'rolled_back', failure: { component: 'web', exitCode: 3 } });
    expect(await platform.status(user, projectId)).toMatchObject({ state: 'running', health: 'healthy', release: 1 });
    await agent.end();
  });

  it('with a reader of its events, who resumes without a gap', async () => {
    const { id } = await halted('with-a-reader', 'preparing', holdBack('prepared', { state: 'preparing', step: 'build' }));
    let begun = false;
    const read = async (lastEventId: number): Promise<{ ids: number[]; last: string }> => {
      const headers = {
        Authorization: `Bearer ${user.accessToken}`,
        ...(lastEventId === 0 ? {} : { 'Last-Event-ID': String(lastEventId) }),
      };
      const answer = await fetch(`${await platform.url()}/api/v1/deployments/${id}/events`, { headers });
      let text = '';
      for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        text += chunk;
        begun ||= text.includes('id: 1\n');
      }
      return {
        ids: [...text.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1])),
        last: /event: (\w+)\n[^\n]*\n\n$/.exec(text)?.[1] ?? '',
      };
    };
    const first = read(0);
    await until(() => begun);
    await restart();
    const before = await first;
    expect(before.ids[0]).toBe(1);
    const after = await read(before.ids.at(-1) ?? 0);
    expect(after.last).toBe('end');
    const all = [...before.ids, ...after.ids];
    expect(all).toEqual(all.map((_id, index) => index + 1));
    await agent.end();
  });
});
