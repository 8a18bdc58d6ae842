import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { PORTS_DIRECTORY, readPortFile, shellScripts } from './support/bundled-ports.js';

/** Runs a checker over all scripts; it must be installed, since a check that is skipped is none. */
function runChecker(program: string, args: string[]): string {
  const result = spawnSync(program, [...args, ...shellScripts], { cwd: PORTS_DIRECTORY, encoding: 'utf8' });
  if (result.error) throw new Error(`${program} cannot be run; install it: apt-get install ${program}`, { cause: result.error });
  return result.stdout + result.stderr;
}

/** Where a shell expects a command. */
const COMMAND = String.raw`(?:^|[;&|({]|\b(?:then|else|do|exec|if|while|until)\b|!\s)\s*`;

/** A command that a port's script must not run. */
function command(names: string): RegExp {
  return new RegExp(`${COMMAND}(?:${names})(?:\\s|$)`);
}

/** What a port's script must not do, and why. Comments and quoted text are not looked at. */
const BANNED: [RegExp, string][] = [
  [command('sudo|su|doas|setpriv'), 'a script is one uid and stays it'],
  [command('apt|apt-get|dpkg|yum|dnf|apk|pip'), 'software comes from the closure that the manifest declares'],
  [command('systemctl|service|initctl|update-rc.d'), 'the agent supervises'],
  [command('useradd|usermod|groupadd|adduser|chown|chgrp'), 'nothing belongs to anybody else'],
  [command('killall|pkill|nohup|setsid|disown'), 'processes end with their sandbox'],
  [command('which|type|hash'), 'use command -v'],
  [command('echo'), 'use printf, which does the same in every shell'],
  [command('source|local|declare|typeset|function|pushd|popd|let'), 'not POSIX'],
  [command(String.raw`\[\[`), 'not POSIX'],
  [/&>|<\(|>\(|<<</, 'not POSIX'],
  [/\b(sed|perl)\s+-i/, 'stage and rename'],
  [/\bchmod\s+(-R\s+)?[0-7]*[2367]\b/, 'nothing is writable for everybody'],
  [command('wget|git clone'), 'downloads are declared in the manifest, or made by a package manager that verifies them'],
  [/\bcurl\b.*\|\s*(ba|da)?sh\b/, 'nothing is run that was not verified'],
  [/--password[= ]|--requirepass|(^|\s)-a\s+"?\$[A-Z_]*PASSWORD/, 'secrets never stand on a command line'],
  [/\bexit 0\b/, 'return, since scripts are sourced'],
];

/** The lines of a script without comments and without the text between quotes. */
function codeOf(script: string): string[] {
  return readPortFile(script)
    .split('\n')
    .map((line) =>
      line
        .replace(/(^|\s)#.*$/, '')
        .replaceAll(/'[^']*'/g, "''")
        .replaceAll(/"(?:[^"\\$]|\\.)*"/g, '""'),
    );
}

describe('shell scripts of ports', () => {
  it('satisfy shellcheck', () => {
    expect(runChecker('shellcheck', ['--external-sources'])).toBe('');
  });

  it('are formatted by shfmt', () => {
    expect(runChecker('shfmt', ['-d'])).toBe('');
  });

  it.each(shellScripts)('%s does nothing that is banned', (script) => {
    const found = codeOf(script).flatMap((line, index) =>
      BANNED.filter(([pattern]) => pattern.test(line)).map(([, why]) => `${script}:${index + 1}: ${line.trim()} (${why})`),
    );
    expect(found).toEqual([]);
  });

  it.each(shellScripts)('%s says in a comment what it is for', (script) => {
    const lines = readPortFile(script).split('\n');
    expect(lines[0]).toMatch(/^(#!\/bin\/sh|# shellcheck shell=sh)$/);
    expect(lines[1]).toMatch(/^# \S/);
  });
});
