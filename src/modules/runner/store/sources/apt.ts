import { chmod, lchown, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '../../../../common/domain-error.js';
import { requireTool, runTool, toolFailure, type CommandOptions, type CommandResult } from '../command.js';
import { aptConfiguration, aptSources, type AptDirectories, type DebianMirror } from './apt-config.js';
import { globMatcher, type SourceContext } from './closure-source.js';

const HELPER = '/usr/lib/apt/apt-helper';

/** One archive as apt resolved it. */
export interface ResolvedArchive {
  /** Where the mirror has it. */
  uri: string;
  name: string;
  version: string;
  /** Apt's own name for the file. */
  fileName: string;
  bytes: number;
  sha256: string;
}

export interface AptInput {
  suite: string;
  mirror: DebianMirror;
  keyring: string;
  architecture: string;
  directories: AptDirectories;
}

/** A private apt for one suite: resolves and fetches, installs nothing, and never touches the machine's own. */
export class Apt {
  private readonly directories: AptDirectories;
  private readonly suite: string;

  private constructor(
    private readonly input: AptInput,
    private readonly context: SourceContext,
  ) {
    this.directories = input.directories;
    this.suite = input.suite;
  }

  /** Lays the private state out in `directories.work`, an existing directory of the store's account. */
  static async prepare(input: AptInput, context: SourceContext): Promise<Apt> {
    const { directories } = input;
    const apt = new Apt(input, context);
    for (const directory of [directories.lists, join(directories.lists, 'partial'), join(directories.work, 'archives', 'partial')]) {
      await mkdir(directory, { recursive: true });
      await apt.own(directory);
    }
    const dump = await requireTool(['apt-config', 'dump'], { owner: context.owner, signal: context.signal });
    await apt.put('apt.conf', aptConfiguration(directories, dump, input.architecture));
    await apt.put('sources.list', aptSources(input.suite, input.mirror, input.keyring));
    await apt.put('status', '');
    await apt.put('preferences', '');
    return apt;
  }

  /** When the package lists were last fetched, in milliseconds since 1970; undefined when there are none. */
  async listsTime(): Promise<number | undefined> {
    const names = await readdir(this.directories.lists);
    if (!names.some((name) => name.includes('_Packages'))) return undefined;
    return (await stat(join(this.directories.lists, '.fetched')).catch(() => undefined))?.mtimeMs;
  }

  /** Fetches the package lists. Lists that have outlived their date, and a suite without security updates, are told and accepted. */
  async update(): Promise<void> {
    const { suite } = this;
    const command: [string, ...string[]] = ['apt-get', 'update', '--error-on=any'];
    this.context.progress(`fetching the package lists of Debian ${suite}`);
    let result = await this.run(command);
    if (result.code !== 0 && lacksOnlySecurity(result, suite)) {
      this.context.progress(`warning: the mirror has no security updates for Debian ${suite}; going on without them`);
      await this.put('sources.list', aptSources(suite, { ...this.input.mirror, security: undefined }, this.input.keyring));
      result = await this.run(command);
    }
    if (result.code !== 0 && /is expired|no longer valid/i.test(result.stderr.join('\n'))) {
      this.context.progress(`warning: the mirror's lists of Debian ${suite} have outlived their date; going on without that check`);
      result = await this.run([...command, '-o', 'Acquire::Check-Valid-Until=false']);
    }
    if (result.code !== 0) throw this.updateFailure(result);
    await writeFile(join(this.directories.lists, '.fetched'), '');
  }

  /** The packages and all that they depend on, except what matches `omit`, sorted by name. Needs no network. */
  async resolve(packages: readonly string[], omit: readonly string[]): Promise<ResolvedArchive[]> {
    const matches = globMatcher(omit);
    const pretended = new Map<string, string>();
    // Each round pretends that the omitted packages are there already, which spares what only they needed.
    for (;;) {
      await this.put('status', [...pretended.values()].join('\n'));
      await this.put('preferences', [...pretended.keys()].map((name) => `Package: ${name}\nPin: release *\nPin-Priority: -1\n`).join('\n'));
      const archives = await this.printUris(packages);
      const unwanted = archives.filter((archive) => matches(archive.name));
      if (unwanted.length === 0) return archives.sort((a, b) => (a.name < b.name ? -1 : 1));
      const stanzas = await this.installedStanzas(unwanted);
      if (stanzas.every(([name]) => pretended.has(name))) throw this.cannotOmit(unwanted);
      for (const [name, stanza] of stanzas) pretended.set(name, stanza);
    }
  }

  /** Downloads archives; resolves to the path of each by file name. Apt checks what it gets against the signed lists. */
  async download(archives: readonly ResolvedArchive[]): Promise<Map<string, string>> {
    const paths = new Map(archives.map(({ fileName }) => [fileName, join(this.directories.work, fileName)]));
    let fetched = 0;
    let reported = Date.now();
    const onLine = (line: string): void => {
      if (!line.startsWith('Get:')) return;
      fetched += 1;
      if (Date.now() - reported < 1000) return;
      reported = Date.now();
      this.context.progress(`downloaded ${fetched} of ${archives.length} packages`);
    };
    const files = archives.flatMap(({ uri, fileName, sha256 }) => [uri, paths.get(fileName) ?? '', `SHA256:${sha256}`]);
    const result = await this.run([HELPER, 'download-file', ...files], onLine);
    if (result.code !== 0) throw networkFailure(`download packages of Debian ${this.suite}`, result);
    return paths;
  }

  private async printUris(packages: readonly string[]): Promise<ResolvedArchive[]> {
    const result = await this.run(['apt-get', 'install', '-y', '--print-uris', '--', ...packages]);
    if (result.code !== 0) throw this.resolveFailure(result);
    return result.stdout.split('\n').flatMap((line) => parseUriLine(line) ?? []);
  }

  private async installedStanzas(archives: ResolvedArchive[]): Promise<[string, string][]> {
    const shown = await requireTool(
      ['apt-cache', 'show', ...archives.map(({ name, version }) => `${name}=${version}`)],
      this.commandOptions(),
    );
    return shown
      .split(/\n\n+/)
      .filter((stanza) => stanza.trim() !== '')
      .map((stanza) => [/^Package: (\S+)/m.exec(stanza)?.[1] ?? '', pretendInstalled(stanza)]);
  }

  private cannotOmit(archives: ResolvedArchive[]): DomainError {
    const names = archives.map(({ name }) => name).join(', ');
    return new DomainError('invalid', 'STORE_OMIT_IMPOSSIBLE', `Debian ${this.suite} cannot leave out ${names}.`, {
      fix: `Remove what matches from "omit" in the closure of the port's manifest.`,
    });
  }

  private run(command: [string, ...string[]], onLine?: (line: string) => void): Promise<CommandResult> {
    return runTool(command, { ...this.commandOptions(), onLine });
  }

  private commandOptions(): CommandOptions {
    const { owner, signal, networkEnv } = this.context;
    return { owner, signal, env: { ...networkEnv, APT_CONFIG: join(this.directories.work, 'apt.conf') } };
  }

  private updateFailure(result: CommandResult): DomainError {
    const words = result.stderr.join('\n');
    if (/does not have a Release file/.test(words)) {
      return new DomainError('unavailable', 'STORE_SUITE_UNKNOWN', `The mirror has no Debian suite "${this.suite}".`, {
        fix: "Correct the suite in the port's manifest, or set HITHE_DEBIAN_MIRROR to a mirror that has it.",
        details: { output: result.stderr },
      });
    }
    return networkFailure(`fetch the package lists of Debian ${this.suite}`, result);
  }

  private resolveFailure(result: CommandResult): DomainError {
    const words = result.stderr.join('\n');
    const unknown = [...words.matchAll(/Unable to locate package (\S+)|Package '?([^'\s]+)'? has no installation candidate/g)].map(
      (m) => m[1] ?? m[2],
    );
    if (unknown.length > 0) {
      return new DomainError('invalid', 'STORE_PACKAGE_UNKNOWN', `Debian ${this.suite} has no package ${unknown.join(', ')}.`, {
        fix: "Correct the package names or the suite in the closure of the port's manifest.",
        details: { output: result.stderr },
      });
    }
    return toolFailure('apt-get install', { ...result, stderr: [...result.stderr, ...dependencyWords(result.stdout)] });
  }

  private async put(name: string, text: string): Promise<void> {
    const path = join(this.directories.work, name);
    await writeFile(path, text);
    await this.own(path, 0o644);
  }

  private async own(path: string, mode = 0o755): Promise<void> {
    await chmod(path, mode);
    if (this.context.owner !== null) await lchown(path, this.context.owner.uid, this.context.owner.gid);
  }
}

/** Whether every repository that a mirror lacks is the one of a suite's security updates. */
export function lacksOnlySecurity(result: Pick<CommandResult, 'stderr'>, suite: string): boolean {
  const lacking = result.stderr.flatMap((line) => /The repository '\S+ (\S+) Release' does not have a Release file/.exec(line)?.[1] ?? []);
  return lacking.length > 0 && lacking.every((each) => each === `${suite}-security`);
}

/** Reads one line of `apt-get --print-uris`: `'uri' file size SHA256:hex`. */
export function parseUriLine(line: string): ResolvedArchive | undefined {
  const match = /^'(\S+)' (\S+) (\d+) SHA256:([0-9a-f]{64})$/.exec(line);
  const [, uri, fileName, bytes, sha256] = match ?? [];
  if (uri === undefined || fileName === undefined || bytes === undefined || sha256 === undefined) return undefined;
  const [name, version] = fileName.split('_').map((part) => decodeURIComponent(part));
  if (name === undefined || version === undefined) return undefined;
  return { uri, name, version, fileName, bytes: Number(bytes), sha256 };
}

/** A `dpkg` status record that makes apt believe a package is installed, needing nothing. From a record of `apt-cache show`. */
export function pretendInstalled(shown: string): string {
  const kept = shown.split('\n').filter((line) => /^(?:Package|Version|Architecture|Multi-Arch|Provides|Source):/.test(line));
  return `${kept.join('\n')}\nStatus: install ok installed\nMaintainer: none\nDescription: left out of this closure\n`;
}

/** The error for a name, a mirror or a network that could not be reached. */
function networkFailure(what: string, result: CommandResult): DomainError {
  const failure = toolFailure('apt-get', result);
  if (failure.code === 'STORE_DISK_FULL') return failure;
  const last = result.stderr
    .filter((line) => /^[EW]:/.test(line))
    .slice(-3)
    .map((line) => line.slice(3));
  return new DomainError('unavailable', 'STORE_NETWORK', `Could not ${what}${last.length > 0 ? `: ${last.join(' · ')}` : '.'}`, {
    fix: 'Check that the node reaches its Debian mirror (`apt-get update` as a test), or set HITHE_DEBIAN_MIRROR, then deploy again.',
    details: { output: result.stderr },
  });
}

function dependencyWords(stdout: string): string[] {
  return stdout.split('\n').filter((line) => /Depends:/.test(line));
}
