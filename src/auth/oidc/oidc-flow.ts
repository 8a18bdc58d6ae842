import { createHash, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { DomainError } from '../../common/domain-error.js';
import { Config } from '../../config/config.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import { invalidRequest } from '../../http/validation.js';
import { randomToken, sha256 } from '../../common/random-token.js';
import type { OidcClaims } from './oidc-claims.js';
import { OidcAuthorization, OidcResult } from './oidc.entities.js';
import { OidcProvider } from './oidc-provider.js';

export const AUTHORIZATION_SECONDS = 10 * 60;
const RESULT_SECONDS = 2 * 60;
/** Unlike a token's, since it does travel in an address: without the verifier it is worth nothing. */
const CODE_PREFIX = 'oidc-';

/** How somebody begins: where the code goes, and the S256 of a secret that they keep until they fetch the result. */
export interface OidcBeginning {
  /** Absent: the browser shows the code, to be copied. */
  redirectUri?: string | undefined;
  codeChallenge: string;
}

/** Where the browser goes after it came back from the provider: on to whoever began, or nowhere, with a code to show. */
export type OidcReturn = { redirectTo: string } | { code: string };

/**
 * The way to the provider and back. Two protections of their own: PKCE, state and nonce between Hithe and the provider, and a
 * one-time code with PKCE between Hithe and whoever began, so that no token is ever in an address, and a code that somebody else
 * sees is worth nothing.
 */
@Injectable()
export class OidcFlow {
  constructor(
    @InjectRepository(OidcAuthorization) private readonly authorizations: Repository<OidcAuthorization>,
    @InjectRepository(OidcResult) private readonly results: Repository<OidcResult>,
    private readonly provider: OidcProvider,
    private readonly transactions: TransactionRunner,
    private readonly config: Config,
  ) {}

  /** The address to open in a browser. Throws `REDIRECT_NOT_ALLOWED`, `OIDC_NOT_CONFIGURED`, `OIDC_UNAVAILABLE`. */
  async begin({ redirectUri, codeChallenge }: OidcBeginning): Promise<string> {
    if (redirectUri !== undefined) assertAllowed(redirectUri, this.config.publicUrl);
    const state = randomToken('');
    const url = await this.provider.authorizationUrl(state);
    const expiresAt = new Date(Date.now() + AUTHORIZATION_SECONDS * 1000);
    await this.authorizations.save(
      this.authorizations.create({ stateHash: sha256(state), redirectUri: redirectUri ?? null, codeChallenge, expiresAt }),
    );
    return url.href;
  }

  /**
   * Takes what the browser brings back. A state works once; an unknown one is `OIDC_STATE_UNKNOWN`. Failures after that go
   * on to whoever began, as `?error=CODE`.
   */
  async comeBack(query: URLSearchParams): Promise<OidcReturn> {
    const state = query.get('state') ?? '';
    const authorization = await this.take(state);
    if (!authorization) {
      throw new DomainError('unauthenticated', 'OIDC_STATE_UNKNOWN', 'This log-in was not begun here, was finished, or took too long.', {
        fix: 'Begin the log-in again.',
      });
    }
    const { redirect_uri: redirectUri, code_challenge: codeChallenge } = authorization;
    try {
      const code = await this.keep(await this.provider.claims(query, state), codeChallenge);
      return redirectUri === null ? { code } : { redirectTo: withParameter(redirectUri, 'code', code) };
    } catch (error) {
      if (redirectUri === null || !(error instanceof DomainError)) throw error;
      return { redirectTo: withParameter(redirectUri, 'error', error.code) };
    }
  }

  /**
   * Who came back, for whoever began. A code works once, whether the verifier is right or not. Throws `OIDC_CODE_INVALID`: of the
   * kind `unauthenticated` to log in, and `invalid` for who is logged in, whose session is not at fault.
   */
  async redeem(code: string, codeVerifier: string, kind: 'unauthenticated' | 'invalid' = 'unauthenticated'): Promise<OidcClaims> {
    const [rows] = await this.transactions.statement<[Pick<OidcResult, 'claims'> & { code_challenge: string }[], number]>(
      'DELETE FROM oidc_results WHERE code_hash = $1 AND expires_at > now() RETURNING claims, code_challenge',
      [sha256(code.trim())],
    );
    const [found] = rows as unknown as { claims: OidcClaims; code_challenge: string }[];
    if (found && isVerifierOf(found.code_challenge, codeVerifier)) return found.claims;
    throw new DomainError(kind, 'OIDC_CODE_INVALID', 'This code is wrong, was used, or is too old.', {
      fix: 'Begin the log-in again.',
    });
  }

  /** Drops what nobody came back for. */
  async forgetOld(): Promise<void> {
    await this.authorizations.query('DELETE FROM oidc_authorizations WHERE expires_at < now()');
    await this.results.query('DELETE FROM oidc_results WHERE expires_at < now()');
  }

  private async take(state: string): Promise<{ redirect_uri: string | null; code_challenge: string } | undefined> {
    const [rows] = await this.transactions.statement<[{ redirect_uri: string | null; code_challenge: string }[], number]>(
      'DELETE FROM oidc_authorizations WHERE state_hash = $1 AND expires_at > now() RETURNING redirect_uri, code_challenge',
      [sha256(state)],
    );
    return rows[0];
  }

  private async keep(claims: OidcClaims, codeChallenge: string): Promise<string> {
    const code = randomToken(CODE_PREFIX);
    const expiresAt = new Date(Date.now() + RESULT_SECONDS * 1000);
    await this.results.save(this.results.create({ codeHash: sha256(code), codeChallenge, claims, expiresAt }));
    return code;
  }
}

/** Only this machine's loopback (a CLI that listens), and Hithe's own pages; everything else could hand codes to strangers. */
export function assertAllowed(redirectUri: string, publicUrl: string): void {
  const url = URL.canParse(redirectUri) ? new URL(redirectUri) : undefined;
  const loopback = url?.protocol === 'http:' && (url.hostname === '127.0.0.1' || url.hostname === '[::1]');
  const plain = url?.username === '' && url.password === '' && url.hash === '';
  if (plain && (loopback || url.origin === new URL(publicUrl).origin)) return;
  throw invalidRequest([
    {
      path: 'redirectUri',
      code: 'REDIRECT_NOT_ALLOWED',
      message: 'A log-in comes back to http://127.0.0.1:PORT/… or to a page of this installation.',
      fix: 'Leave it out to have the code shown in the browser.',
    },
  ]);
}

function isVerifierOf(codeChallenge: string, codeVerifier: string): boolean {
  const made = createHash('sha256').update(codeVerifier).digest('base64url');
  return made.length === codeChallenge.length && timingSafeEqual(Buffer.from(made), Buffer.from(codeChallenge));
}

function withParameter(uri: string, name: string, value: string): string {
  const url = new URL(uri);
  url.searchParams.set(name, value);
  return url.href;
}
