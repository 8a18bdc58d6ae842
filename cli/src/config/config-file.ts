import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { systemCode } from '@hithe/client';
import { CliError } from '../cli-error.js';
import { EXIT } from '../exit-codes.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Directory of the CLI's own files: `HITHE_CONFIG_DIR`, else `hithe` in `XDG_CONFIG_HOME` or `~/.config`. */
export function configDirectory(env: Environment): string {
  const given = env['HITHE_CONFIG_DIR'];
  if (given !== undefined && given !== '') return given;
  const base = env['XDG_CONFIG_HOME'];
  return join(base === undefined || base === '' ? join(homedir(), '.config') : base, 'hithe');
}

/** A team as the CLI remembers it. */
export interface ChosenTeam {
  id: string;
  slug: string;
}

/** `config.json`: which server is meant, and which team on it. Holds no secret. */
export interface Config {
  server?: string;
  teams: Record<string, ChosenTeam>;
}

/** Reads `config.json`; an absent file is an empty configuration. */
export async function readConfig(directory: string): Promise<Config> {
  const value = await readJson(join(directory, 'config.json'));
  const teams = value['teams'];
  return {
    ...(typeof value['server'] === 'string' ? { server: value['server'] } : {}),
    teams: typeof teams === 'object' && teams !== null ? (teams as Record<string, ChosenTeam>) : {},
  };
}

/** Replaces `config.json`. */
export async function writeConfig(directory: string, config: Config): Promise<void> {
  await writePrivate(join(directory, 'config.json'), config);
}

/** The object in a JSON file of ours; `{}` when there is no such file; a clear error when it is not JSON. */
export async function readJson(file: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return {};
    throw unusable(file, error);
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Reported below, without the parser's message: it would quote a piece of what may be a credential.
  }
  throw new CliError(EXIT.failed, `${file} is damaged.`, { code: 'CONFIG_DAMAGED', fix: `rm '${file}' && hithe login` });
}

/** Writes JSON aside with mode 0600 and renames it into place, so that no reader sees half of it. */
export async function writePrivate(file: string, value: unknown): Promise<void> {
  const aside = `${file}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(aside, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600 });
    await chmod(aside, 0o600);
    await rename(aside, file);
  } catch (error) {
    await rm(aside, { force: true });
    throw unusable(file, error);
  }
}

function unusable(file: string, error: unknown): CliError {
  return new CliError(EXIT.failed, `Cannot use ${file}: ${error instanceof Error ? error.message : String(error)}`, {
    code: 'CONFIG_UNUSABLE',
    fix: 'Set HITHE_CONFIG_DIR to a directory of your own.',
    cause: error,
  });
}

/** Whether an error says that a file does not exist. */
export function isMissing(error: unknown): boolean {
  return systemCode(error) === 'ENOENT';
}
