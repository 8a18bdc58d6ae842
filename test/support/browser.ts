import { type Browser, type BrowserContext, type CDPSession, type Page, chromium } from 'playwright-core';

/** Debian's own; `npm test` installs it. */
const EXECUTABLE = '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A ceremony that finds no key waits for a person to bring one. */
const CEREMONY_MS = 30_000;

/** As texts: they run in the page, whose types this program does not know. */
const CREATE = `async (options) =>
  (await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })).toJSON()`;
const GET = `async (options) =>
  (await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) })).toJSON()`;

/** Starts Debian's Chromium; close it when the tests are over. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, headless: true, args: FLAGS });
}

/** A browser profile of its own with one page and a virtual security key in it: discoverable, verifying its user by default. */
export class TestBrowser implements AsyncDisposable {
  private constructor(
    private readonly context: BrowserContext,
    readonly page: Page,
    private readonly devtools: CDPSession,
    private readonly authenticatorId: string,
  ) {}

  /** Opens `url`, whose origin is the one that passkeys will be for. */
  static async open(browser: Browser, url: string): Promise<TestBrowser> {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(url);
    const devtools = await context.newCDPSession(page);
    await devtools.send('WebAuthn.enable');
    const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    return new TestBrowser(context, page, devtools, authenticatorId);
  }

  /** Whether the key's owner shows a finger from now on. */
  async verifyUser(isUserVerified: boolean): Promise<void> {
    await this.devtools.send('WebAuthn.setUserVerified', { authenticatorId: this.authenticatorId, isUserVerified });
  }

  /** What `navigator.credentials.create` gives for these options. */
  createPasskey(publicKey: object): Promise<object> {
    return this.run(CREATE, publicKey);
  }

  /** What `navigator.credentials.get` gives for these options. */
  usePasskey(publicKey: object): Promise<object> {
    return this.run(GET, publicKey);
  }

  private run(ceremony: string, publicKey: object): Promise<object> {
    return this.page.evaluate<object>(`(${ceremony})(${JSON.stringify({ ...publicKey, timeout: CEREMONY_MS })})`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
  }
}
