import { type ExecutionContext, SetMetadata, applyDecorators, createParamDecorator } from '@nestjs/common';
import { ApiBearerAuth, ApiSecurity } from '@nestjs/swagger';
import type { Request } from 'express';
import { ApiProblem } from '../http/api.decorators.js';
import type { Action, SubjectName } from './ability.js';
import type { Actor } from './actor.js';
import type { NodeIdentity } from './node-credential-verifier.js';

/** How a route is protected; exactly one of these stands on each. */
export type RoutePolicy =
  { kind: 'public' } | { kind: 'authenticated' } | { kind: 'node' } | { kind: 'ability'; action: Action; subject: SubjectName };

export const ROUTE_POLICY = 'hithe:route-policy';
const policy = (value: RoutePolicy): MethodDecorator & ClassDecorator => SetMetadata(ROUTE_POLICY, value);

/** Anybody may call this route. The marked exception. */
export function Public(): MethodDecorator & ClassDecorator {
  return policy({ kind: 'public' });
}

/** Any logged-in user may call this route; what they see is decided by the service, row by row. */
export function Authenticated(): MethodDecorator & ClassDecorator {
  return applyDecorators(policy({ kind: 'authenticated' }), ApiBearerAuth(), ApiProblem('unauthenticated'));
}

/**
 * Only who may do `action` to some `subject` may call this route. Whether they may do it to the row at hand is for
 * `authorize`, which knows the row.
 */
export function RequireAbility(action: Action, subject: SubjectName): MethodDecorator & ClassDecorator {
  return applyDecorators(policy({ kind: 'ability', action, subject }), ApiBearerAuth(), ApiProblem('unauthenticated', 'forbidden'));
}

/** Only a node's agent, with its own credential, may call this route. */
export function NodeOnly(): MethodDecorator & ClassDecorator {
  return applyDecorators(policy({ kind: 'node' }), ApiSecurity('node'), ApiProblem('unauthenticated'));
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
