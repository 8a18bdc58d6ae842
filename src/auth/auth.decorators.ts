import { type ExecutionContext, SetMetadata, applyDecorators, createParamDecorator } from '@nestjs/common';
import { ApiBearerAuth, ApiExtension, ApiSecurity } from '@nestjs/swagger';
import type { Request } from 'express';
import type { ErrorKind } from '../common/domain-error.js';
import { ApiProblem } from '../http/api.decorators.js';
import type { Action, SubjectName } from './ability.js';
import type { Actor } from './actor.js';
import type { NodeIdentity } from './node-credential-verifier.js';
import { type ScopeName, scopeFor } from './token-scopes.js';

/** Which API tokens may call a route: any, those with a scope, or none at all. */
export type TokenPolicy = ScopeName | 'any' | 'never';

/** How a route is protected; exactly one of these stands on each. */
export type RoutePolicy =
  | { kind: 'public' }
  | { kind: 'authenticated'; token: TokenPolicy }
  | { kind: 'node' }
  | { kind: 'ability'; action: Action; subject: SubjectName; token: TokenPolicy };

export const ROUTE_POLICY = 'hithe:route-policy';
const policy = (value: RoutePolicy): MethodDecorator & ClassDecorator => SetMetadata(ROUTE_POLICY, value);

/** Anybody may call this route. The marked exception. */
export function Public(): MethodDecorator & ClassDecorator {
  return policy({ kind: 'public' });
}

/**
 * Any logged-in user may call this route; what they see is decided by the service, row by row. API tokens may not, unless `token`
 * says which: what one does with passwords, factors, sessions and tokens is for people alone.
 */
export function Authenticated({ token = 'never' }: { token?: TokenPolicy } = {}): MethodDecorator & ClassDecorator {
  return applyDecorators(policy({ kind: 'authenticated', token }), ApiBearerAuth(), ApiProblem(...refusals(token)), tokenExtension(token));
}

/**
 * Only who may do `action` to some `subject` may call this route. Whether they may do it to the row at hand is for
 * `authorize`, which knows the row. An API token needs the scope of that right, if there is one; with `sessionOnly` none will do.
 */
export function RequireAbility(
  action: Action,
  subject: SubjectName,
  { sessionOnly = false }: { sessionOnly?: boolean } = {},
): MethodDecorator & ClassDecorator {
  const token = sessionOnly ? 'never' : (scopeFor(action, subject) ?? 'never');
  return applyDecorators(
    policy({ kind: 'ability', action, subject, token }),
    ApiBearerAuth(),
    ApiProblem('unauthenticated', 'forbidden'),
    tokenExtension(token),
  );
}

/** `x-hithe-token` of the operation: a scope, `any` or `never`. */
function tokenExtension(token: TokenPolicy): MethodDecorator & ClassDecorator {
  return ApiExtension('x-hithe-token', token);
}

function refusals(token: TokenPolicy): ErrorKind[] {
  return token === 'any' ? ['unauthenticated'] : ['unauthenticated', 'forbidden'];
}

/** Only a node's agent, with its own credential, may call this route. */
export function NodeOnly(): MethodDecorator & ClassDecorator {
  return applyDecorators(policy({ kind: 'node' }), ApiSecurity('node'), ApiProblem('unauthenticated'));
}

export const BEFORE_SECOND_FACTOR = 'hithe:before-second-factor';

/** Also open to who must set up a second factor first (`HITHE_REQUIRE_SECOND_FACTOR`): what it takes to do so, and to leave. */
export function BeforeSecondFactor(): MethodDecorator & ClassDecorator {
  return SetMetadata(BEFORE_SECOND_FACTOR, true);
}

type Authenticable = Request & { user?: Actor; node?: NodeIdentity };

/** The `Actor` that makes this request; only on routes with `@Authenticated()` or `@RequireAbility()`. */
export const CurrentActor = createParamDecorator((_data: unknown, context: ExecutionContext): Actor => {
  const { user } = context.switchToHttp().getRequest<Authenticable>();
  if (!user) throw new TypeError('This route has no actor: it is public or for nodes');
  return user;
});

/** The node that makes this request; only on routes with `@NodeOnly()`. */
export const CurrentNode = createParamDecorator((_data: unknown, context: ExecutionContext): NodeIdentity => {
  const { node } = context.switchToHttp().getRequest<Authenticable>();
  if (!node) throw new TypeError('This route has no node: it lacks @NodeOnly()');
  return node;
});
