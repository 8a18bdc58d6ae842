import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { generate } from 'otplib';
import { run } from '../../cli/src/run.js';
import { CliHarness } from '../../cli/src/testing/cli-harness.js';
import { TestApplication, type TestUser, bearer } from '../support/application.js';
import { CLIENT, IdentityProvider } from '../support/identity-provider.js';
import { until } from '../support/until.js';

const STEP = 30;

/** A terminal whose user answers what they read. */
class Terminal {
  output = '';
  errors = '';
  readonly stdin: Readable & { isTTY?: boolean } = new Readable({ read: () => undefined });
  readonly stdout = { isTTY: true, columns: 100, write: (text: string) => (this.output += text) };
  readonly stderr = { isTTY: true, columns: 100, write: (text: string) => (this.errors += text) };

  constructor() {
    this.stdin.isTTY = true;
  }

  run(argv: string[], harness: CliHarness, env: Record<string, string> = {}): Promise<number> {
    const environment = { HITHE_CONFIG_DIR: harness.configDirectory, ...env };
    return run(argv, { stdin: this.stdin, stdout: this.stdout, stderr: this.stderr, env: environment, cwd: harness.directory });
  }

  /** What the user reads, once it is there. */
  async reads(pattern: RegExp): Promise<string> {
    await until(() => pattern.test(this.errors), 20_000);
    return pattern.exec(this.errors)?.[1] ?? '';
  }

  types(text: string): void {
    this.stdin.push(`${text}\n`);
  }
}

describe('hithe login, against a real server and provider', () => {
  let application: TestApplication;
  let provider: IdentityProvider;
  let url: string;
  let harness: CliHarness;
  let people = 0;

  beforeAll(async () => {
    provider = await IdentityProvider.reserve();
    application = await TestApplication.start({
      signUp: 'open',
      oidcIssuer: provider.issuer,
      oidcClientId: CLIENT.id,
      oidcClientSecret: CLIENT.secret,
    });
    url = `http://localhost:${new URL(await application.app.getUrl()).port}`;
    application.config.publicUrl = url;
    await provider.start(`${url}/api/v1/auth/oidc/callback`);
  });

  beforeEach(async () => {
    people += 1;
    provider.person = `subject-${people}`;
    provider.accounts.set(provider.person, { email: `oidc${people}@example.org`, email_verified: true });
    harness = await CliHarness.create();
  });

  afterEach(async () => {
    await harness[Symbol.asyncDispose]();
  });

  afterAll(async () => {
    await provider.stop();
    await application.stop();
  });

  const newcomer = () => application.user(`person${people}@example.org`);
  const login = (user: TestUser, lines: string[], ...options: string[]) =>
    harness.run(['login', '--server', url, '--email', user.email, '--password-stdin', ...options, '--json'], { stdin: lines.join('\n') });
  const hithe = async (...argv: string[]) => {
    const ran = await harness.run(argv);
    if (ran.code !== 0) throw new Error(ran.stderr);
    return ran.stdout;
  };
  /** Goes to the provider and back, like the browser that the CLI has opened. */
  const browse = async (authorizationUrl: string) => fetch(await provider.visit(authorizationUrl));

  it('sets up an authenticator app, asks for its code, and does without it again', async () => {
    const user = await newcomer();
    expect((await login(user, [user.password])).code).toBe(0);
    const terminal = new Terminal();
    const enabling = terminal.run(['2fa', 'enable'], harness);
    await terminal.reads(/(Password or code: )/);
    terminal.types(user.password);
    const secret = await terminal.reads(/type the secret into it: ([A-Z2-7]+)/);
    expect(terminal.errors).toMatch(/[▀▄█]{10}/);
    const epoch = Math.floor(Date.now() / 1000);
    terminal.types(await generate({ secret, epoch }));
    expect(await enabling).toBe(0);
    const codes = terminal.output.match(/^ {2}(?:[a-z0-9]{4}-){3}[a-z0-9]{4}$/gm) ?? [];
    expect(codes).toHaveLength(10);
    expect(await hithe('2fa')).toMatch(/authenticator app\s+enabled/);

    const without = await login(user, [user.password]);
    expect(without.code).not.toBe(0);
    expect(without.stderr).toContain('SECOND_FACTOR_REQUIRED');
    expect((await login(user, [user.password, '000000'], '--code-stdin')).stderr).toContain('LOGIN_REFUSED');
    expect((await login(user, [user.password, await generate({ secret, epoch: epoch + STEP })], '--code-stdin')).code).toBe(0);
    expect((await login(user, [user.password, codes[0]?.trim() ?? ''], '--code-stdin')).code).toBe(0);
    expect(JSON.parse(await hithe('2fa', 'status', '--json'))).toMatchObject({ totp: true, recoveryCodesLeft: 9 });

    const refused = await harness.run(['2fa', 'disable']);
    expect(refused.stderr).toContain('--proof-stdin');
    expect((await harness.run(['2fa', 'disable', '--proof-stdin'], { stdin: user.password })).code).toBe(0);
    expect((await login(user, [user.password])).code).toBe(0);
  });

  it('opens the browser with --oidc, and keeps the log-in', async () => {
    const opened = join(harness.directory, 'opened');
    const browser = join(harness.directory, 'browser');
    await writeFile(browser, `#!/bin/sh\nprintf '%s' "$1" >'${opened}.new' && mv '${opened}.new' '${opened}'\n`);
    await chmod(browser, 0o755);
    const terminal = new Terminal();
    const loggingIn = terminal.run(['login', '--oidc', '--server', url], harness, { BROWSER: browser });
    const address = () => readFile(opened, 'utf8').catch(() => '');
    await until(async () => (await address()) !== '', 20_000);
    const page = await browse(await address());
    expect(new URL(page.url).hostname).toBe('127.0.0.1');
    expect(await page.text()).toContain('close this window');
    expect(await loggingIn).toBe(0);
    expect(terminal.output).toContain(`oidc${people}@example.org`);
    expect(await hithe('whoami')).toContain(`oidc${people}@example.org`);
    expect(await hithe('identities')).toContain(provider.issuer);
  });

  it('takes a code that another browser shows, with --no-browser', async () => {
    const terminal = new Terminal();
    const loggingIn = terminal.run(['login', '--oidc', '--no-browser', '--server', url], harness);
    const page = await browse(await terminal.reads(/(http\S+authorize\S+|http\S+\/auth\?\S+)/));
    terminal.types(/<code[^>]*>([^<]+)</.exec(await page.text())?.[1] ?? '');
    expect(await loggingIn).toBe(0);
    expect(await hithe('whoami')).toContain(`oidc${people}@example.org`);
  });

  it('links and unlinks an identity', async () => {
    const user = await newcomer();
    await login(user, [user.password]);
    const proof = await application.http.post('/api/v1/me/reauthenticate').set(bearer(user)).send({ password: user.password });
    expect(proof.status).toBe(204);
    const terminal = new Terminal();
    const linking = terminal.run(['identities', 'link', '--no-browser'], harness);
    const page = await browse(await terminal.reads(/(http\S+\/auth\?\S+)/));
    terminal.types(/<code[^>]*>([^<]+)</.exec(await page.text())?.[1] ?? '');
    await terminal.reads(/(Password or code)/);
    terminal.types(user.password);
    expect(await linking).toBe(0);
    const identities = JSON.parse(await hithe('identities', '--json')) as { id: string; email: string }[];
    expect(identities).toEqual([expect.objectContaining({ email: `oidc${people}@example.org` })]);
    await hithe('identities', 'unlink', `oidc${people}@example.org`);
    expect(JSON.parse(await hithe('identities', '--json'))).toEqual([]);
  });
});
