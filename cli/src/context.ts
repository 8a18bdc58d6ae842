import { type HitheClient, type Me, MemoryTokenStore, type Project, type TokenStore, createHitheClient, dataOf } from '@hithe/client';
import { CliError, notLoggedIn, usageError } from './cli-error.js';
import { type ChosenTeam, type Config, configDirectory, readConfig, writeConfig } from './config/config-file.js';
import { CredentialsFile } from './config/credentials.js';
import { EXIT } from './exit-codes.js';
import { type LightRequest, lightFetch, LightRequest as RequestClass } from './http/light-fetch.js';
import type { Io } from './io.js';
import { type Colors, colorsFor } from './ui/style.js';
import { nearest } from './ui/suggest.js';
import { version } from './version.js';

/** The options that every command takes. */
export interface GlobalOptions {
  json?: boolean;
  team?: string;
}

export const DEFAULT_SERVER = 'http://localhost:7070';

/** What a command works with: the world, the chosen server and team, and a client that is logged in. Everything is made on first use. */
export class Context {
  readonly json: boolean;
  readonly colors: Colors;
  private readonly directory: string;
  private configuration: Promise<Config> | undefined;
  private connected: Promise<HitheClient> | undefined;

  constructor(
    readonly io: Io,
    private readonly options: GlobalOptions,
  ) {
    this.json = options.json === true;
    this.colors = colorsFor(io.stdout, io.env);
    this.directory = configDirectory(io.env);
  }

  get credentials(): CredentialsFile {
    return new CredentialsFile(this.directory);
  }

  config(): Promise<Config> {
    return (this.configuration ??= readConfig(this.directory));
  }

  async saveConfig(config: Config): Promise<void> {
    await writeConfig(this.directory, config);
    this.configuration = Promise.resolve(config);
  }

  /** The chosen server: `HITHE_SERVER`, or the one of the last log-in; undefined when there is none. */
  async chosenServer(): Promise<string | undefined> {
    const given = this.io.env['HITHE_SERVER'];
    return given === undefined || given === '' ? (await this.config()).server : normaliseServer(given);
  }

  /** A client of `server` that uses the stored credentials of that server only, or `HITHE_TOKEN`. */
  clientOf(server: string, tokens: TokenStore = this.tokensOf(server)): HitheClient {
    return createHitheClient({
      server,
      tokens,
      userAgent: `hithe-cli/${version}`,
      // The two fit each other and what the client uses of them; see light-fetch.ts for why they are not Node's own.
      fetch: (request) => lightFetch(request as unknown as LightRequest) as unknown as Promise<Response>,
      Request: RequestClass as unknown as typeof Request,
    });
  }

  private tokensOf(server: string): TokenStore {
    const token = this.io.env['HITHE_TOKEN'];
    return token === undefined || token === '' ? this.credentials.storeFor(server) : new MemoryTokenStore({ accessToken: token });
  }

  /** The client of the chosen server; an error with the way to log in when there is no log-in. */
  client(): Promise<HitheClient> {
    return (this.connected ??= this.connect());
  }

  private async connect(): Promise<HitheClient> {
    const server = await this.chosenServer();
    if (server === undefined) throw notLoggedIn('You are not logged in to any server.');
    const client = this.clientOf(server);
    if ((await client.session.accessToken()) === undefined) throw notLoggedIn(`You are not logged in to ${server}.`, server);
    return client;
  }

  async me(): Promise<Me> {
    return dataOf((await this.client()).api.GET('/api/v1/me'));
  }

  /** The team that `--team` or `HITHE_TEAM` names, if either does. */
  get namedTeam(): string | undefined {
    return this.options.team ?? this.io.env['HITHE_TEAM'];
  }

  /** The team that the command is about: `--team`, `HITHE_TEAM`, the one chosen by `hithe use`, or the only one. */
  async team(): Promise<ChosenTeam> {
    const wanted = this.namedTeam;
    const server = await this.chosenServer();
    const chosen = server === undefined ? undefined : (await this.config()).teams[server];
    if (chosen !== undefined && (wanted === undefined || wanted === '' || wanted === chosen.slug || wanted === chosen.id)) return chosen;
    const { teams } = await this.me();
    if (wanted === undefined || wanted === '') {
      const [only, second] = teams;
      if (only !== undefined && second === undefined) return only;
      throw usageError('You are in several teams and have chosen none.', {
        code: 'TEAM_NOT_CHOSEN',
        fix: `hithe use ${only?.slug ?? 'TEAM'}`,
      });
    }
    return findTeam(teams, wanted);
  }

  /** The project of that name in the team; an error that suggests the nearest name otherwise. */
  async project(name: string): Promise<Project> {
    const { api } = await this.client();
    const team = await this.team();
    const { items } = await dataOf(api.GET('/api/v1/projects', { params: { query: { teamId: team.id, name } } }));
    const project = items.find((candidate) => candidate.name === name);
    if (project !== undefined) return project;
    const others = await dataOf(api.GET('/api/v1/projects', { params: { query: { teamId: team.id, limit: 100 } } }));
    const near = nearest(
      name,
      others.items.map((other) => other.name),
    );
    throw new CliError(EXIT.notFound, `There is no project "${name}" in the team "${team.slug}".`, {
      code: 'PROJECT_NOT_FOUND',
      fix: near === undefined ? 'hithe projects' : `Did you mean "${near}"? See: hithe projects`,
    });
  }

  /** Writes text to the standard output. */
  print(text: string): void {
    this.io.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }

  /** Writes `value` with `--json`, and otherwise the text that `human` makes. */
  show(value: unknown, human: () => string): void {
    this.print(this.json ? JSON.stringify(value, undefined, 2) : human());
  }

  /** A remark that is not the result: to the standard error, and not with `--json`. */
  note(text: string): void {
    if (!this.json) this.io.stderr.write(`${text}\n`);
  }
}

/** The team of that slug, name or id, or an error that lists the ones there are. */
export function findTeam(teams: readonly (ChosenTeam & { name: string })[], wanted: string): ChosenTeam {
  const team = teams.find(({ id, slug, name }) => id === wanted || slug === wanted || name === wanted);
  if (team !== undefined) return { id: team.id, slug: team.slug };
  const slugs = teams.map(({ slug }) => slug);
  throw new CliError(EXIT.notFound, `You are in no team "${wanted}".`, {
    code: 'TEAM_NOT_FOUND',
    fix:
      slugs.length === 0
        ? 'hithe teams create NAME'
        : `hithe use ${nearest(wanted, slugs) ?? slugs[0] ?? ''}   (yours: ${slugs.join(', ')})`,
  });
}

/** An address of a server in the one form under which its credentials are kept. */
export function normaliseServer(address: string): string {
  const withScheme = /^[a-z]+:\/\//i.test(address) ? address : `http://${address}`;
  if (!URL.canParse(withScheme))
    throw usageError(`"${address}" is not an address of a server.`, { fix: `hithe login --server ${DEFAULT_SERVER}` });
  const url = new URL(withScheme);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw usageError(`A server's address starts with http:// or https://, not ${url.protocol}//.`);
  if (url.username !== '' || url.password !== '')
    throw usageError("A server's address holds no user name or password.", { fix: 'hithe login --email E asks for it.' });
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}
