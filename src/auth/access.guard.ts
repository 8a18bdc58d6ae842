import { type CanActivate, type ExecutionContext, Injectable, type Type } from '@nestjs/common';
import { ModuleRef, Reflector } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import type { Request } from 'express';
import { DomainError } from '../common/domain-error.js';
import { messageOf } from '../common/thrown.js';
import { BEFORE_SECOND_FACTOR, ROUTE_POLICY, type RoutePolicy } from './auth.decorators.js';
import type { Actor } from './actor.js';
import { HiddenRows } from './hidden-rows.js';
import { KeysUnavailable } from './keys/access-tokens.js';
import { type TokenClaims, type VerifiedClaims, VerifiedTokens } from './keys/verified-tokens.js';
import { enterAsActor, enterAsNode } from './request-actor.js';
import { SessionActors } from './session-actors.js';
import { assertTokenMay } from './token-policy.js';
import { ApiTokenAuthenticator } from './api-tokens/api-token-authenticator.js';
import { looksLikeToken } from './api-tokens/token-format.js';
import { NodeCredentialVerifier, type NodeIdentity } from './node-credential-verifier.js';

/** The declared policy of a route, if any. */
export function routePolicyOf(reflector: Reflector, handler: Type | (() => unknown), controller: Type): RoutePolicy | undefined {
  return reflector.getAllAndOverride<RoutePolicy | undefined>(ROUTE_POLICY, [handler, controller]);
}

/** Global: whoever calls a route that is not `@Public()` proves who they are, with an access token, an API token or a node credential. */
@Injectable()
export class JwtAuthGuard extends AuthGuard('jwt') {
  constructor(
    private readonly reflector: Reflector,
    private readonly modules: ModuleRef,
    private readonly apiTokens: ApiTokenAuthenticator,
    private readonly verified: VerifiedTokens,
    private readonly sessions: SessionActors,
  ) {
    super();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const policy = routePolicyOf(this.reflector, context.getHandler() as () => unknown, context.getClass());
    const { method } = context.switchToHttp().getRequest<Request>();
    if (method !== 'GET' && method !== 'HEAD') this.sessions.forgetBefore(context.switchToHttp().getResponse());
    if (policy?.kind === 'public') return admitAnybody(context.switchToHttp().getRequest());
    if (policy?.kind === 'node') return this.admitNode(context.switchToHttp().getRequest());
    const request = context.switchToHttp().getRequest<Request & { user?: Actor }>();
    const credential = bearerIn(request);
    if (credential !== undefined && looksLikeToken(credential)) request.user = await this.apiTokens.authenticate(credential);
    else request.user = await this.actorOf(context, credential);
    enterAsActor(request.user);
    return true;
  }

  override handleRequest<U = Actor>(error: unknown, user: U | false | null | undefined, info?: unknown): U {
    const failure = info instanceof KeysUnavailable ? info.cause : error;
    if (failure !== null && failure !== undefined)
      throw new DomainError('internal', 'AUTHENTICATION_FAILED', messageOf(failure), { cause: failure });
    if (user) return user;
    throw invalidAccessToken();
  }

  /** The actor behind an access token; its signature is looked at once, its session on each request. */
  private async actorOf(context: ExecutionContext, credential: string | undefined): Promise<Actor> {
    const known = credential === undefined ? undefined : await this.verified.claimsOf(credential);
    const claims = known ?? (await this.verify(context, credential));
    const actor = await this.sessions.of(claims.sub, claims.sid);
    if (actor === null) throw invalidAccessToken();
    return actor;
  }

  private async verify(context: ExecutionContext, credential: string | undefined): Promise<VerifiedClaims> {
    await super.canActivate(context);
    const claims = context.switchToHttp().getRequest<{ user: TokenClaims }>().user;
    if (credential !== undefined) await this.verified.remember(credential, claims);
    return claims;
  }

  private async admitNode(request: Request & { node?: NodeIdentity }): Promise<boolean> {
    const credential = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
    const node = credential === undefined ? null : await this.verifier().verify(credential);
    if (!node) throw unauthenticated('The node credential is missing or not valid.', 'Register the node again.');
    request.node = node;
    enterAsNode();
    return true;
  }

  private verifier(): NodeCredentialVerifier {
    return this.modules.get<NodeCredentialVerifier>(NodeCredentialVerifier, { strict: false });
  }
}

/** Global: a route that declares no policy is closed, and one that requires an ability admits only those who have it. */
@Injectable()
export class PolicyGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly hidden: HiddenRows,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const policy = routePolicyOf(this.reflector, context.getHandler() as () => unknown, context.getClass());
    if (!policy) throw new DomainError('forbidden', 'ROUTE_WITHOUT_POLICY', 'This route declares no policy, so nobody may call it.');
    const { user, params } = context.switchToHttp().getRequest<Request & { user?: Actor }>();
    if (user?.secondFactorMissing === true) this.assertOpenBeforeSecondFactor(context);
    assertTokenMay(policy, user);
    if (policy.kind !== 'ability') return true;
    if (user?.ability.can(policy.action, policy.subject) === true) return true;
    if (user) await this.hidden.assertVisible(user, params);
    throw new DomainError(
      'forbidden',
      'ACTION_FORBIDDEN',
      `Your role does not allow you to ${policy.action.replaceAll('-', ' ')} any ${policy.subject.toLowerCase()}.`,
      {
        fix: 'Ask an administrator for a role that may.',
      },
    );
  }

  private assertOpenBeforeSecondFactor(context: ExecutionContext): void {
    if (this.reflector.getAllAndOverride<boolean | undefined>(BEFORE_SECOND_FACTOR, [context.getHandler(), context.getClass()]) === true)
      return;
    throw new DomainError('forbidden', 'SECOND_FACTOR_REQUIRED', 'The operator of this platform demands a second factor of you.', {
      fix: "Set one up with 'hithe 2fa enable' or POST /api/v1/me/totp. If you have one, log in again.",
    });
  }
}

function bearerIn(request: Request): string | undefined {
  return /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
}

/** A 401 of this route is not about a credential of the request; src/http/denied-attempts.ts asks. */
function admitAnybody(request: Request & { publicRoute?: boolean }): true {
  request.publicRoute = true;
  return true;
}

function invalidAccessToken(): DomainError {
  return unauthenticated(
    'The access token is missing, expired or not valid.',
    'Log in, or refresh the access token at /api/v1/auth/refresh.',
  );
}

function unauthenticated(message: string, fix: string): DomainError {
  return new DomainError('unauthenticated', 'UNAUTHENTICATED', message, { fix });
}
