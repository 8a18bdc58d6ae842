import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { until } from '../support/until.js';
import { PROJECT_ID, ask, desired, ok } from './support/desired.js';
import { NodeUnderTest, isRoot } from './support/node-under-test.js';

// Real processes on a machine that may be busy.
jest.setTimeout(90_000);

const SECRET = 'marked-secret/of+the agent';

describe('secrets of components', () => {
  let node: NodeUnderTest;
  beforeAll(async () => {
    node = await NodeUnderTest.open(isRoot ? 'root' : 'rootless');
    await node.start();
  });
  afterAll(() => node.close());

  it('R43: are in the environment of the process, and blanked out in logs and reports, in every spelling', async () => {
    const web = await ok({ component: 'web', vars: { GREETING: SECRET }, secretVars: ['GREETING'], secretEnv: { API_KEY: `${SECRET}-2` } });
    node.control.want(web);
    const seen = await node.control.running(web.id);
    expect(seen.healthMessage).toBe('••••••••');
    expect(JSON.parse(await ask(web, '/env'))).toMatchObject({ API_KEY: `${SECRET}-2`, GREETING: SECRET });
    const stream = node.control.logs({ projectId: PROJECT_ID, lines: 0, follow: true });
    await until(async () => {
      await ask(web, '/log?text=probe');
      return node.control.texts(stream).includes('probe');
    });
    for (const text of [`key ${SECRET}`, `url ${encodeURIComponent(`${SECRET}-2`)}`, 'the end'])
      await ask(web, `/log?text=${encodeURIComponent(text)}`);
    await until(() => node.control.texts(stream).includes('the end'));
    expect(node.control.texts(stream)).toEqual(expect.arrayContaining(['key ••••••••', 'url ••••••••']));
    expect(JSON.stringify([...node.control.progress, node.control.of(web.id)])).not.toContain('marked-secret');
  });

  it('R43: are not told in a failure, nor in the journal and the log of the agent', async () => {
    const broken = desired({ port: 'broken', component: 'broken', vars: { WORDS: 'cannot find what it needs' }, secretVars: ['WORDS'] });
    node.control.want(broken);
    await node.control.see(broken.id, ({ exit }) => exit !== undefined);
    await until(() => JSON.stringify(node.control.of(broken.id)).includes('••••••••'));
    expect(JSON.stringify(node.control.of(broken.id))).not.toContain('cannot find what it needs');
    const agent = join(node.home, 'agent');
    for (const name of readdirSync(agent).filter((each) => each.startsWith('journal.db'))) {
      expect(readFileSync(join(agent, name)).includes('marked-secret')).toBe(false);
    }
  });
});
