import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from 'tar';
import { getText } from './support/http.js';
import { describeLifecycle } from './support/lifecycle.js';
import { PortInstance } from './support/port-instance.js';
import { PortWorkshop } from './support/port-workshop.js';
import { writeFiles } from './support/source-files.js';

const SERVER = `
import { createServer } from 'node:http';
import { readFileSync, writeFileSync } from 'node:fs';
import { greet } from 'greeter';
const kept = process.env.DATA_DIR + '/kept';
const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://x');
  if (url.pathname === '/keep') writeFileSync(kept, url.searchParams.get('value'));
  const { npm_package_version: version, NODE_ENV: mode } = process.env;
  const body = { '/kept': () => readFileSync(kept, 'utf8'), '/me': () => JSON.stringify({ version, mode, parent: process.ppid, args: process.argv.slice(2) }) };
  response.end((body[url.pathname] ?? (() => greet('world')))());
});
server.listen(Number(process.env.PORT), process.env.HOST);
process.once('SIGTERM', () => server.close(() => process.exit(0)));
`;

/** An app with one dependency, which comes as a tarball so that no test needs the network. */
async function writeApp(directory: string, extra: Record<string, unknown> = {}): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'hithe-test-dependency-'));
  await writeFiles(scratch, {
    'package/package.json': { name: 'greeter', version: '1.0.0', main: 'index.js' },
    'package/index.js': "exports.greet = (name) => 'hello ' + name;",
  });
  const packageJson = {
    name: 'app',
    version: '3.2.1',
    type: 'module',
    scripts: { start: 'node server.js "two words"' },
    dependencies: { greeter: 'file:greeter.tgz' },
    ...extra,
  };
  await writeFiles(directory, { 'package.json': packageJson, 'server.js': SERVER });
  await create({ cwd: scratch, file: join(directory, 'greeter.tgz'), gzip: true, portable: true, mtime: new Date(0) }, ['package']);
  await rm(scratch, { recursive: true });
}

describeLifecycle(
  {
    port: 'nodejs-app',
    version: '24',
    source: writeApp,
    write: (instance, value) => getText(`${instance.url}/keep?value=${value}`),
    read: (instance) => getText(`${instance.url}/kept`),
  },
  (instance) => {
    it('runs the start script as npm would, without npm or a shell around it', async () => {
      expect(JSON.parse(await getText(`${instance().url}/me`))).toEqual({
        version: '3.2.1',
        mode: 'production',
        parent: 1,
        args: ['two words'],
      });
      expect(await getText(instance().url)).toBe('hello world');
    });

    it('takes the installed dependencies over when they did not change', async () => {
      const again = await instance().build();
      expect(again.tail).toContain('dependencies are as they were');
      await instance().stop();
      await instance().startHealthy();
      expect(await getText(instance().url)).toBe('hello world');
    });
  },
);

describe('port nodejs-app', () => {
  let workshop: PortWorkshop;
  beforeAll(async () => {
    workshop = await PortWorkshop.open();
  });
  afterAll(() => workshop.close());

  async function withApp(
    files: Record<string, unknown> | ((directory: string) => Promise<void>),
    vars: Record<string, string>,
    check: (instance: PortInstance) => Promise<void>,
  ): Promise<void> {
    const source = await workshop.scratch((directory) => (typeof files === 'function' ? files(directory) : writeFiles(directory, files)));
    const instance = await PortInstance.create(workshop, { port: 'nodejs-app', version: '24', vars, source });
    try {
      await check(instance);
    } finally {
      await instance.close();
    }
  }

  const respond = (text: string): string =>
    `require('http').createServer((_, r) => r.end(${text})).listen(process.env.PORT, process.env.HOST)`;

  it('runs the build script with development dependencies', () =>
    withApp(
      (directory) =>
        writeApp(directory, {
          dependencies: {},
          devDependencies: { greeter: 'file:greeter.tgz' },
          scripts: {
            build: "node -e \"require('fs').writeFileSync('built.cjs', require('fs').readFileSync('server.js'))\"",
            start: 'node server.js',
          },
        }),
      {},
      async (instance) => {
        expect(await instance.build()).toMatchObject({ code: 0 });
        await instance.startHealthy();
        expect(await getText(instance.url)).toBe('hello world');
      },
    ));

  it('runs a process of a Procfile, in a directory of the source', () =>
    withApp(
      {
        'apps/one/Procfile': 'release: node migrate.js\nweb: MODE=procfile node web.js --flag\n',
        'apps/one/web.js': respond('process.env.MODE + process.argv[2]'),
      },
      { APP_DIR: 'apps/one' },
      async (instance) => {
        expect(await instance.build()).toMatchObject({ code: 0 });
        await instance.startHealthy();
        expect(await getText(instance.url)).toBe('procfile--flag');
      },
    ));

  it('runs a list of commands', () =>
    withApp(
      {
        'package.json': { scripts: { prestart: 'printf ready >state', start: 'node web.js' } },
        'web.js': respond("require('fs').readFileSync('state')"),
      },
      {},
      async (instance) => {
        expect(await instance.build()).toMatchObject({ code: 0 });
        await instance.startHealthy();
        expect(await getText(instance.url)).toBe('ready');
      },
    ));

  it('asks the path and expects the status that it was told', () =>
    withApp(
      {
        'server.js':
          "require('http').createServer((q, r) => { r.statusCode = q.url === '/up' ? 204 : 500; r.end(); }).listen(process.env.PORT)",
        'package.json': {},
      },
      { HEALTH_PATH: '/up', HEALTH_STATUS: '204-204' },
      async (instance) => {
        expect(await instance.build()).toMatchObject({ code: 0 });
        await instance.startHealthy();
        instance.setVar('HEALTH_PATH', '/down');
        const ill = await instance.run('test.sh');
        expect([ill.code, ill.tail.at(-1)]).toEqual([1, `error: ${instance.url}/down answers 500, not 204-204`]);
      },
    ));

  it.each([
    ['nothing to run', { 'README.md': 'hello' }, {}, 'neither package.json nor Procfile'],
    ['a directory that is not there', { 'package.json': {} }, { APP_DIR: 'web' }, 'the source has no such directory'],
    ['a package.json that is broken', { 'package.json': '{' }, {}, 'package.json is not valid JSON'],
    ['a process that the Procfile lacks', { Procfile: 'web: node .' }, { PROCESS_TYPE: 'worker' }, 'has no process "worker"; it has web'],
    ['a build that fails', { 'package.json': { scripts: { build: 'printf "no such module" >&2; exit 3' } } }, {}, 'no such module'],
  ])('says what is wrong with %s', (_, files, vars, message) =>
    withApp(files, vars, async (instance) => {
      const result = await instance.build();
      expect(result.code).not.toBe(0);
      expect(result.tail.join('\n')).toContain(message);
    }),
  );

  it('says at the start that nothing tells how to start', () =>
    withApp({ 'package.json': { name: 'library' } }, {}, async (instance) => {
      expect(await instance.build()).toMatchObject({ code: 0 });
      const result = await instance.run('start.sh');
      expect(result.tail.at(-1)).toContain('nothing says how to start the app');
    }));
});
