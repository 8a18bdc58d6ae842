import { type Me, type HitheClient, MemoryTokenStore, type Tokens, type components, dataOf, tokensOf } from '@hithe/client';
import { CliError, notLoggedIn, usageError } from '../cli-error.js';
import { type Context, DEFAULT_SERVER, findTeam, normaliseServer } from '../context.js';
import { EXIT } from '../exit-codes.js';
import { columns } from '../ui/columns.js';
import { LoginInput } from '../ui/login-input.js';
import { codeProof } from '../ui/proof.js';
import { ask } from '../ui/prompt.js';

export interface LoginOptions {
  server?: string;
  email?: string;
  passwordStdin?: boolean;
  codeStdin?: boolean;
  oidc?: boolean;
  /** False: print the address of the provider, instead of opening a browser. */
  browser?: boolean;
}

/** `hithe login`: proves who it is, keeps the tokens, and chooses server and team. */
export async function login(context: Context, options: LoginOptions): Promise<void> {
  const server = options.server === undefined ? ((await context.chosenServer()) ?? DEFAULT_SERVER) : normaliseServer(options.server);
  const client = context.clientOf(server);
  const input = new LoginInput(context, options);
  const first = options.oidc === true ? await withOidc(context, client, options) : await withPassword(context, client, options, input);
  const session = 'challenge' in first ? await withSecondFactor(client, first, input) : first;
  await keep(context, server, session);
}

type Session = components['schemas']['GrantDto'];
type Challenge = components['schemas']['SecondFactorChallengeDto'];

async function withPassword(context: Context, client: HitheClient, options: LoginOptions, input: LoginInput): Promise<Session | Challenge> {
  const email = options.email ?? (await askEmail(context));
  const password = await input.password(email);
  return dataOf(client.api.POST('/api/v1/auth/login', { body: { email, password } })).catch((error: unknown) => {
    throw refused(error, 'Check email and password. The first admin is in initial-admin.json of HITHE_HOME.');
  });
}

async function withOidc(context: Context, client: HitheClient, options: LoginOptions): Promise<Session | Challenge> {
  const { codeFromProvider } = await import('./oidc.js');
  const body = await codeFromProvider(context, client, { browser: options.browser !== false });
  return dataOf(client.api.POST('/api/v1/auth/oidc/token', { body })).catch((error: unknown) => {
    throw refused(error, 'hithe login --oidc');
  });
}

async function withSecondFactor(client: HitheClient, { challenge, methods }: Challenge, input: LoginInput): Promise<Session> {
  const proof = codeProof(await input.code(methods));
  return dataOf(client.api.POST('/api/v1/auth/login/second-factor', { body: { challenge, ...proof } })).catch((error: unknown) => {
    throw refused(error, 'Log in again with the next code; each works once.');
  });
}

async function keep(context: Context, server: string, session: Session): Promise<void> {
  const tokens = tokensOf(session);
  const { email } = session.user;
  await context.credentials.update(server, () => Promise.resolve({ ...tokens, email }));
  const { teams } = await dataOf(context.clientOf(server).api.GET('/api/v1/me'));
  const config = await context.config();
  const before = config.teams[server];
  const team = teams.find(({ id }) => id === before?.id) ?? teams[0];
  const others = Object.fromEntries(Object.entries(config.teams).filter(([name]) => name !== server));
  await context.saveConfig({ server, teams: team === undefined ? others : { ...others, [server]: { id: team.id, slug: team.slug } } });
  context.show(
    { server, email, team: team?.slug ?? null },
    () => `Logged in to ${server} as ${email}${team === undefined ? '' : `, team ${context.colors.bold(team.slug)}`}.`,
  );
  if (teams.length > 1) context.note(`Your teams: ${teams.map(({ slug }) => slug).join(', ')}. Choose with: hithe use TEAM`);
}

async function askEmail(context: Context): Promise<string> {
  if (context.io.stdin.isTTY === true) return ask(context.io, 'Email: ');
  throw usageError('The email is missing.', { fix: 'hithe login --email you@example.org --password-stdin' });
}

function refused(error: unknown, fix: string): unknown {
  if (!(error instanceof Error && 'status' in error && error.status === 401)) return error;
  return new CliError(EXIT.notLoggedIn, error.message, { code: 'LOGIN_REFUSED', fix, cause: error });
}

/** `hithe logout`: ends the session on the server and forgets it here, even when the server is away. */
export async function logout(context: Context): Promise<void> {
  const server = await context.chosenServer();
  if (server === undefined) throw notLoggedIn('You are not logged in to any server.');
  const ended: { failure?: unknown }[] = [];
  await context.credentials.update(server, async (current) => {
    if (current !== undefined) ended.push(await endSession(context, server, current));
    return undefined;
  });
  const [end] = ended;
  if (end === undefined) throw notLoggedIn(`You are not logged in to ${server}.`, server);
  if (end.failure instanceof Error) context.note(`The session is forgotten here, but the server could not be told: ${end.failure.message}`);
  context.show({ server, loggedOut: true }, () => `Logged out of ${server}.`);
}

/** Returns the failure, if any: a session that the server has ended already, or cannot end now, is forgotten all the same. */
async function endSession(context: Context, server: string, { accessToken, refreshToken }: Tokens): Promise<{ failure?: unknown }> {
  if (refreshToken === undefined) return {};
  const { api } = context.clientOf(server, new MemoryTokenStore({ accessToken }));
  try {
    await api.POST('/api/v1/auth/logout', { body: { refreshToken } });
    return {};
  } catch (failure) {
    return { failure };
  }
}

/** `hithe auth token`: prints an access token that is good now. */
export async function authToken(context: Context): Promise<void> {
  const client = await context.client();
  const accessToken = await client.session.accessToken();
  if (accessToken === undefined) throw notLoggedIn(`You are not logged in to ${client.server}.`, client.server);
  context.show({ server: client.server, accessToken }, () => accessToken);
}

/** `hithe whoami`: the user, the server and the teams, as the server sees them. */
export async function whoami(context: Context): Promise<void> {
  const client = await context.client();
  const me = await context.me();
  const config = await context.config();
  const chosen = config.teams[client.server]?.slug;
  context.show({ ...me, server: client.server, team: chosen ?? null }, () => {
    const rows = me.teams.map(({ slug, name, role }) => [slug === chosen ? '*' : ' ', slug, role, name]);
    const head = `${context.colors.bold(me.email)} on ${client.server}${me.platformAdmin ? ' (platform admin)' : ''}\n${tokenLine(me)}`;
    return head + (rows.length === 0 ? 'no team yet: hithe teams create NAME' : columns([['', 'TEAM', 'ROLE', 'NAME'], ...rows]));
  });
}

/** What there is to know of the API token in use. */
function tokenLine({ token }: Me): string {
  return token === undefined ? '' : `API token "${token.name}": ${token.scopes.join(', ')}; until ${token.expiresAt.slice(0, 10)}\n`;
}

/** `hithe use TEAM`: chooses the team of all further commands on this server. */
export async function use(context: Context, wanted: string): Promise<void> {
  const client = await context.client();
  const team = findTeam((await context.me()).teams, wanted);
  const config = await context.config();
  await context.saveConfig({ ...config, server: config.server ?? client.server, teams: { ...config.teams, [client.server]: team } });
  context.show({ server: client.server, team: team.slug }, () => `Using the team ${context.colors.bold(team.slug)} on ${client.server}.`);
}
