// Reads package.json and Procfile in the working directory and prints, as shell assignments, how to install, build and start
// the app. Arguments: process type of the Procfile, BUILD_COMMAND (`auto`: package.json's build script).
import { existsSync, readFileSync } from 'node:fs';

const [processType, buildCommand] = process.argv.slice(2);

/** Ends with a reason and a mend that the deployment shows. */
function fail(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}

function readPackage() {
  if (!existsSync('package.json')) return {};
  try {
    const parsed = JSON.parse(readFileSync('package.json', 'utf8'));
    if (typeof parsed !== 'object' || parsed === null) fail('package.json is not an object');
    return parsed;
  } catch (error) {
    return fail(`package.json is not valid JSON: ${error.message}`);
  }
}

/** The command of a process type, or undefined when there is no Procfile; lines are `type: command`. */
function readProcfile() {
  if (!existsSync('Procfile')) return undefined;
  const types = new Map();
  for (const line of readFileSync('Procfile', 'utf8').split(/\r?\n/)) {
    const match = /^([A-Za-z0-9_-]+):\s*(.+?)\s*$/.exec(line);
    if (match) types.set(match[1], match[2]);
  }
  if (types.has(processType)) return types.get(processType);
  return fail(`the Procfile has no process "${processType}"; it has ${[...types.keys()].join(', ') || 'none'}: set PROCESS_TYPE`);
}

const pkg = readPackage();
const scripts = pkg.scripts ?? {};
const locked = existsSync('package-lock.json') || existsSync('npm-shrinkwrap.json');
const count = (section) => Object.keys(pkg[section] ?? {}).length;

const build = buildCommand === 'auto' ? (scripts.build === undefined ? '' : 'npm run build') : buildCommand;
// A build needs the tools that are development dependencies.
const withDev = build !== '';
const needed = count('dependencies') + count('optionalDependencies') + (withDev ? count('devDependencies') : 0) + (pkg.workspaces ? 1 : 0);
const hooks = ['preinstall', 'install', 'postinstall', 'prepublish', 'preprepare', 'prepare', 'postprepare'].filter(
  (name) => scripts[name] !== undefined,
);

function startOf() {
  const fromProcfile = readProcfile();
  if (fromProcfile !== undefined) return fromProcfile;
  if (scripts.start !== undefined) {
    const after = scripts.poststart === undefined ? '' : ` && ${scripts.poststart}`;
    return `${scripts.prestart === undefined ? '' : `${scripts.prestart} && `}${scripts.start}${after}`;
  }
  if (existsSync('server.js')) return 'node server.js';
  return typeof pkg.main === 'string' ? `node ${quote(pkg.main)}` : '';
}

function quote(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

for (const foreign of ['yarn.lock', 'pnpm-lock.yaml', 'bun.lock']) {
  if (existsSync(foreign) && !locked)
    console.error(`warning: ${foreign} is not read; without a package-lock.json npm chooses the versions anew`);
}

const mode = `${withDev ? '--include=dev' : '--omit=dev'} --prefer-offline`;
const plan = {
  install: needed === 0 ? '' : locked ? `npm ci ${mode}` : `npm install ${mode} --no-save --no-package-lock`,
  build,
  // A workspace has trees of its own beside the one that is kept.
  cacheable: pkg.workspaces === undefined ? 'yes' : '',
  lifecycle: hooks.map((name) => `npm run ${name}`).join(' && '),
  start: startOf(),
  name: pkg.name ?? '',
  version: pkg.version ?? '',
};
for (const [key, value] of Object.entries(plan)) console.log(`plan_${key}=${quote(String(value))}`);
