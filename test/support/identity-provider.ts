import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider, { type JWK } from 'oidc-provider';
import { rememberedInMemory } from './identity-provider-storage.js';

/** What the provider says of somebody. */
export interface ProviderAccount {
  email?: string;
  email_verified?: boolean;
  groups?: string[];
}

export const CLIENT = { id: 'hithe', secret: 'a secret between the two of them' };

/** A real OIDC provider. Whoever comes is logged in as `person` without being asked. */
export class IdentityProvider implements AsyncDisposable {
  readonly accounts = new Map<string, ProviderAccount>();
  /** Who sits at the browser. */
  person = 'nobody';
  /** How they prove it. */
  amr: string[] = ['pwd'];
  private readonly jwks = { keys: [generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }) as JWK] };
  private provider: Provider | undefined;
  private server: Server | undefined;

  private constructor(private port: number) {}

  /** A provider that is not there yet; `start` brings it up at the address that it has from now on. */
  static async reserve(): Promise<IdentityProvider> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return new IdentityProvider(port);
  }

  get issuer(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(redirectUri: string): Promise<void> {
    this.provider = new Provider(this.issuer, {
      adapter: rememberedInMemory(),
      clients: [
        {
          client_id: CLIENT.id,
          client_secret: CLIENT.secret,
          redirect_uris: [redirectUri],
          post_logout_redirect_uris: [new URL(redirectUri).origin],
          token_endpoint_auth_method: 'client_secret_post',
        },
      ],
      claims: { openid: ['sub', 'amr'], email: ['email', 'email_verified'], groups: ['groups'] },
      scopes: ['openid', 'email', 'groups'],
      ttl: { Interaction: 600, Grant: 600, Session: 600, AccessToken: 600, IdToken: 600 },
      jwks: this.jwks,
      cookies: { keys: [randomBytes(16).toString('hex')] },
      features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
      interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
      pkce: { required: () => true },
      findAccount: (_context, id) => {
        const account = this.accounts.get(id);
        return account && { accountId: id, claims: () => ({ sub: id, ...account }) };
      },
    });
    const serve = this.provider.callback();
    this.server = createServer((request, response) => {
      if (request.url?.startsWith('/interaction/') === true) void this.interact(request, response);
      else void serve(request, response);
    });
    const { server } = this;
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
  }

  /** Gone, until it is started again. */
  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    server?.closeAllConnections();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  /** Goes to the provider like a browser that has never been there, and follows it to where it sends the browser back to. */
  async visit(authorizationUrl: string): Promise<URL> {
    const cookies = new Map<string, { path: string; value: string }>();
    let url = new URL(authorizationUrl);
    while (url.origin === this.issuer) {
      const sent = [...cookies].filter(([, { path }]) => url.pathname.startsWith(path)).map(([name, { value }]) => `${name}=${value}`);
      const answer = await fetch(url, { redirect: 'manual', headers: { cookie: sent.join('; ') } });
      const location = answer.headers.get('location');
      if (location === null) throw new Error(`The provider answered ${answer.status}: ${await answer.text()}`);
      for (const line of answer.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        cookies.set(name, { value, path: /;\s*path=([^;]+)/i.exec(line)?.[1] ?? '/' });
      }
      url = new URL(location, url);
    }
    return url;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  private async interact(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { provider } = this;
    if (!provider) throw new Error('The provider is not there');
    const { params } = await provider.interactionDetails(request, response);
    const grant = new provider.Grant({ accountId: this.person, clientId: CLIENT.id });
    grant.addOIDCScope(String(params['scope']));
    const login = { accountId: this.person, amr: this.amr };
    await provider.interactionFinished(request, response, { login, consent: { grantId: await grant.save() } });
  }
}
