import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PORTS_DIRECTORY } from './support/bundled-ports.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hithe-test-library-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

interface Answer {
  code: number | null;
  out: string;
  err: string;
}

function execute(args: string[], env: Record<string, string>): Answer {
  const { status, stdout, stderr, error } = spawnSync('/bin/sh', args, {
    cwd: directory,
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin', ...env },
  });
  if (error) throw error;
  return { code: status, out: stdout, err: stderr };
}

/** Runs shell code that has the library; arguments are its "$1" and so on. */
function shell(code: string, args: string[] = [], env: Record<string, string> = {}): Answer {
  return execute(['-euc', `. "${PORTS_DIRECTORY}/_lib/hithe.sh"; ${code}`, 'sh', ...args], env);
}

/** A port of one script and, perhaps, an env.sh, beside the real library. */
function makePort(files: Record<string, string>): string {
  mkdirSync(join(directory, 'port'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, 'port', name), text);
  return join(directory, 'port');
}

const strange = ['plain', 'two words', `quo'te"s`, 'back\\slash', '$HOME $(date) `date`', 'ümläut 漢字', 'tab\tand\nline', '%s %d', '-n'];

describe('render', () => {
  it.each(strange)('puts %j into a template as it is', (value) => {
    writeFileSync(join(directory, 'template'), 'a ${VALUE} b ${VALUE}\n$VALUE $(date) ${not a name} `date`\nlast ${VALUE}');
    const { code, out } = shell('render template', [], { VALUE: value });
    expect([code, out]).toEqual([0, `a ${value} b ${value}\n$VALUE $(date) \${not a name} \`date\`\nlast ${value}\n`]);
  });

  it('fails on a variable that is not set, and leaves the old file', () => {
    writeFileSync(join(directory, 'template'), '${ABSENT}');
    writeFileSync(join(directory, 'file'), 'old');
    const { code, err } = shell('render_to file template');
    expect([code, err, readFileSync(join(directory, 'file'), 'utf8')]).toEqual([
      1,
      'error: template needs ABSENT, which is not set\n',
      'old',
    ]);
  });
});

describe('encodings', () => {
  it.each(strange)('url_encode %j', (value) => {
    expect(decodeURIComponent(shell('url_encode "$1"', [value]).out)).toBe(value);
  });

  it.each(strange)('json_string %j', (value) => {
    expect(JSON.parse(shell('json_string "$1"', [value]).out)).toBe(value);
  });

  it('check prints one line of JSON', () => {
    const { out } = shell('check disk warn "$1" "$2"', ['a "message"', 'a\nfix']);
    expect(out.trim().split('\n')).toHaveLength(1);
    expect(JSON.parse(out)).toEqual({ check: 'disk', status: 'warn', message: 'a "message"', fix: 'a\nfix' });
  });
});

describe('helpers', () => {
  it('need names what is missing or empty', () => {
    expect(shell('need A B', [], { A: '1', B: '' })).toEqual({ code: 1, out: '', err: 'error: B is not set\n' });
  });

  it('wait_for succeeds once the command does, and fails when time is over', () => {
    expect(shell('wait_for 10 file [ -f made ] & touch made; wait $!').code).toBe(0);
    expect(shell('wait_for 0 "the file" [ -f absent ]')).toEqual({
      code: 1,
      out: '',
      err: 'error: the file: not within the time allowed\n',
    });
  });

  it.each([
    ['0.0.0.0', '127.0.0.1', '127.0.0.1'],
    ['::', '::1', '[::1]'],
    ['10.1.2.3', '10.1.2.3', '10.1.2.3'],
  ])('reaches a listener on %s', (address, host, inUrl) => {
    expect(shell('reachable_host "$1"; printf " "; url_host "$(reachable_host "$1")"', [address]).out).toBe(`${host} ${inUrl}`);
  });

  it.each([
    ['a single command replaces the shell', `A=1 node -e "console.log(process.ppid)"`],
    ['so does one that says exec', `exec node -e "console.log(process.ppid)"`],
  ])('run_command: %s', (_, command) => {
    const { out } = shell('printf "%s\\n" $PPID; run_command "$1"', [command], { PATH: `${join(process.execPath, '..')}:/usr/bin:/bin` });
    const [outside, inside] = out.trim().split('\n');
    expect(inside).toBe(outside);
  });

  it('run_command runs lists and expands variables', () => {
    expect(shell('run_command "$1"', ['printf "%s;" "$A" && printf "%s" two'], { A: 'one two' }).out).toBe('one two;two');
  });

  it('uninstalls everything but what was asked to be kept', () => {
    const env = { COMPONENT_DIR: directory, DATA_DIR: join(directory, 'data') };
    for (const name of ['data', 'cache', 'build']) {
      mkdirSync(join(directory, name));
      writeFileSync(join(directory, name, '.file'), '');
    }
    shell('remove_instance', [], { ...env, HITHE_KEEP_DATA: 'true' });
    expect(shell('ls -A . build data').out).toBe('.:\nbuild\ndata\n\nbuild:\n\ndata:\n.file\n');
    shell('remove_instance', [], env);
    expect(shell('ls -A data').out).toBe('');
  });
});

describe('run.sh and exports.sh', () => {
  const library = (name: string): string => join(PORTS_DIRECTORY, '_lib', name);
  const environment = { LIBSCRIPT_ROOT_DIR: PORTS_DIRECTORY };

  it('run a script after env.sh, with its arguments, private files and its own directory', () => {
    const port = makePort({
      'env.sh': 'FROM_ENV=yes; export FROM_ENV',
      'start.sh': 'umask; printf "%s|" "$FROM_ENV" "$HITHE_PORT_DIR" "$SCRIPT_NAME" "$@"; : >made',
    });
    const { out } = execute([library('run.sh'), join(port, 'start.sh'), 'one', 'two words'], environment);
    expect(out).toBe(`0077\nyes|${port}|${port}/start.sh|one|two words|`);
    expect(statSync(join(directory, 'made')).mode & 0o777).toBe(0o600);
  });

  it('let everybody read what setup.sh installs', () => {
    expect(execute([library('run.sh'), join(makePort({ 'setup.sh': 'umask' }), 'setup.sh')], environment).out).toBe('0022\n');
  });

  it('fail with the script, at its first failing command and at an unset variable', () => {
    const port = makePort({ 'a.sh': 'false; printf reached', 'b.sh': 'printf "%s" "$UNSET"', 'c.sh': 'return 7' });
    expect(['a', 'b', 'c'].map((name) => execute([library('run.sh'), join(port, `${name}.sh`)], environment))).toEqual([
      { code: 1, out: '', err: '' },
      { code: 2, out: '', err: expect.stringContaining('UNSET') },
      { code: 7, out: '', err: '' },
    ]);
  });

  it('say which script is missing', () => {
    const { code, err } = execute([library('run.sh'), join(makePort({}), 'test.sh')], environment);
    expect([code, err]).toEqual([1, `error: there is no script ${directory}/port/test.sh\n`]);
  });

  it('print exports apart from whatever else is printed', () => {
    const port = makePort({ 'env.sh': `printf noise; A='x=1\ny'; B=; export A B` });
    const { out } = execute([library('exports.sh'), port, 'A', 'B', 'ABSENT'], environment);
    expect(out).toBe('A=x=1\ny\0B=\0');
  });
});
