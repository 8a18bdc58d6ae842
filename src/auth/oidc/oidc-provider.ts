import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Injectable, Logger } from '@nestjs/common';
import * as oidc from 'openid-client';
import { DomainError } from '../../common/domain-error.js';
import { messageOf } from '../../common/thrown.js';
import { Config } from '../../config/config.js';
import { NamedKeys } from '../../vault/named-keys.js';
import { type OidcClaims, claimsOf } from './oidc-claims.js';

export const CALLBACK_PATH = '/api/v1/auth/oidc/callback';
const TIMEOUT_SECONDS = 10;
/** The provider's keys are fetched anew by the library when an unknown one signs; this is for its addresses. */
const DISCOVERY_MS = 60 * 60 * 1000;

interface Discovered {
  configuration: oidc.Configuration;
  at: number;
}

/**
 * The operator's OIDC provider. It is asked for its addresses when it is first needed, and again after an hour; while it is away
 * a log-in says so, and nothing else is touched. Its address is the operator's own, so it may be private.
 */
@Injectable()
export class OidcProvider {
  private readonly logger = new Logger(OidcProvider.name);
  private discovered: Discovered | undefined;
  private discovering: Promise<Discovered> | undefined;

  constructor(
    private readonly config: Config,
    private readonly keys: NamedKeys,
  ) {}

  /** Where the browser has to go; `state` names this log-in. Throws `OIDC_NOT_CONFIGURED`, `OIDC_UNAVAILABLE`. */
  async authorizationUrl(state: string): Promise<URL> {
    const configuration = await this.configuration();
    const { nonce, verifier } = await this.secretsOf(state);
    return oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: this.callback.href,
      scope: this.config.oidcScopes,
      state,
      nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
  }

  /** Who came back, by the query of the callback. Throws `OIDC_REFUSED`, `OIDC_ANSWER_INVALID`, `OIDC_UNAVAILABLE`. */
  async claims(query: URLSearchParams, state: string): Promise<OidcClaims> {
    const configuration = await this.configuration();
    const { nonce, verifier } = await this.secretsOf(state);
    const url = new URL(this.callback);
    url.search = query.toString();
    try {
      const tokens = await oidc.authorizationCodeGrant(configuration, url, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      const idToken = tokens.claims();
      if (!idToken) throw new TypeError('The provider gave no ID token');
      const userInfo = await this.userInfo(configuration, tokens.access_token, idToken.sub);
      return claimsOf(idToken, userInfo, this.config.oidcGroupsClaim);
    } catch (error) {
      throw this.failure(error);
    }
  }

  /** Where the browser ends the session at the provider too, or null when the provider has no such place. */
  async logoutUrl(): Promise<string | null> {
    const configuration = await this.configuration();
    if (configuration.serverMetadata().end_session_endpoint === undefined) return null;
    return oidc.buildEndSessionUrl(configuration, { post_logout_redirect_uri: this.config.publicUrl }).href;
  }

  private get callback(): URL {
    return new URL(this.config.publicUrl + CALLBACK_PATH);
  }

  /** Derived, so that the database holds nothing with which a log-in under way could be taken over. */
  private async secretsOf(state: string): Promise<{ nonce: string; verifier: string }> {
    const key = await this.keys.get('oidc-log-ins');
    const derive = (purpose: string): string => createHmac('sha256', key).update(`${purpose}\0${state}`).digest('base64url');
    return { nonce: derive('nonce'), verifier: derive('verifier') };
  }

  /** Many providers put address and groups only there. One that has no such place, or refuses, has said all in the ID token. */
  private async userInfo(configuration: oidc.Configuration, accessToken: string, subject: string): Promise<Record<string, unknown>> {
    if (configuration.serverMetadata().userinfo_endpoint === undefined) return {};
    return oidc.fetchUserInfo(configuration, accessToken, subject);
  }

  private async configuration(): Promise<oidc.Configuration> {
    const issuer = this.config.oidcIssuer;
    if (issuer === undefined) {
      throw new DomainError('not-found', 'OIDC_NOT_CONFIGURED', 'This installation has no OIDC provider.', {
        fix: 'Log in with a password, or ask the operator to set HITHE_OIDC_ISSUER.',
      });
    }
    if (this.discovered && Date.now() - this.discovered.at < DISCOVERY_MS) return this.discovered.configuration;
    this.discovering ??= this.discover(new URL(issuer)).finally(() => {
      this.discovering = undefined;
    });
    try {
      this.discovered = await this.discovering;
    } catch (error) {
      if (!this.discovered) throw this.away(error);
      this.logger.warn(`The OIDC provider could not be asked again; what it said before is used: ${messageOf(error)}`);
    }
    return this.discovered.configuration;
  }

  private async discover(issuer: URL): Promise<Discovered> {
    const secret = await this.clientSecret();
    const insecure = issuer.protocol === 'http:';
    if (insecure) this.logger.warn(`The OIDC provider ${issuer.href} is asked without TLS, because its address says so`);
    const configuration = await oidc.discovery(
      issuer,
      this.config.oidcClientId,
      secret === undefined ? {} : { client_secret: secret },
      secret === undefined ? oidc.None() : undefined,
      { timeout: TIMEOUT_SECONDS, execute: insecure ? [allowPlainHttp] : [] },
    );
    configuration.timeout = TIMEOUT_SECONDS;
    return { configuration, at: Date.now() };
  }

  private async clientSecret(): Promise<string | undefined> {
    const file = this.config.oidcClientSecretFile;
    return file === undefined ? this.config.oidcClientSecret : (await readFile(file, 'utf8')).trim();
  }

  /** The reason goes to the log: it helps the operator, and may tell too much to whoever tries. */
  private failure(error: unknown): DomainError {
    if (error instanceof oidc.AuthorizationResponseError) {
      this.logger.warn(`The OIDC provider refused a log-in: ${error.error}`);
      return new DomainError('unauthenticated', 'OIDC_REFUSED', `The provider refused the log-in: ${error.error}.`, {
        fix: 'Try again, or ask whoever runs the provider.',
        cause: error,
      });
    }
    if (error instanceof oidc.ResponseBodyError || isInvalid(error)) {
      this.logger.warn(`An answer of the OIDC provider is not valid: ${reasonOf(error)}`);
      return new DomainError('unauthenticated', 'OIDC_ANSWER_INVALID', 'The answer of the provider is not valid, or was used before.', {
        fix: 'Begin the log-in again. If it goes on, the operator finds the reason in control-plane.log.',
        cause: error,
      });
    }
    return this.away(error);
  }

  private away(error: unknown): DomainError {
    this.logger.warn(`The OIDC provider cannot be used: ${reasonOf(error)}`);
    return new DomainError('unavailable', 'OIDC_UNAVAILABLE', 'The OIDC provider cannot be reached now.', {
      fix: 'Try again in a while, or log in with a password.',
      cause: error,
    });
  }
}

/** The library wraps what it met. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined ? messageOf(error) : `${messageOf(error)}: ${reasonOf(cause)}`;
}

/**
 * For a provider whose address the operator gave as http://. The library marks this function as deprecated only to make it stand
 * out, so it is looked up by name.
 */
const allowPlainHttp = Reflect.get(oidc, 'allowInsecureRequests');

/** No code at all: the connection failed. A status such as 502 is a provider that is away, too. */
const NETWORK_CODES = new Set(['OAUTH_TIMEOUT', 'OAUTH_ABORT', 'OAUTH_RESPONSE_IS_NOT_CONFORM']);

/** The library's words for answers that break the protocol, rather than for a network that is down. */
function isInvalid(error: unknown): boolean {
  if (!(error instanceof oidc.ClientError)) return false;
  return error.code !== undefined && !NETWORK_CODES.has(error.code);
}
