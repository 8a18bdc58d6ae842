import { DataSource } from 'typeorm';
import { SCOPE_NAMES, type ScopeName, parseScope } from '../../../src/auth/token-scopes.js';
import { asSystem } from '../../../src/common/request-context.js';
import { cellOf } from './expectations.js';
import type { MatrixOperation } from './operations.js';
import type { Caller, RouteCase, Verdict } from './route-case.js';
import type { Stage } from './stage.js';

/** What a token needs for a route: a scope, nothing but being one (`any`), or what no token has (`never`). */
export type TokenNeed = ScopeName | 'any' | 'never';

/**
 * What the machine column of the role table says of a route. Routes about one's own things stand in no row; for them the
 * OpenAPI document says it.
 */
export function tokenNeedOf({ rule, sessionOnly }: RouteCase, operation: MatrixOperation): TokenNeed {
  if (rule.kind !== 'row') return (operation.token ?? 'never') as TokenNeed;
  if (sessionOnly === true) return 'never';
  const cell = cellOf(rule.row, 'machine-token');
  if (typeof cell === 'string') return 'never';
  return parseScope(cell.scope)?.name ?? 'never';
}

/** The team's owner behind tokens of every kind, with what each must get. */
export async function tokenCallers(stage: Stage, routeCase: RouteCase, operation: MatrixOperation): Promise<[Caller, Verdict][]> {
  const need = tokenNeedOf(routeCase, operation);
  const closed = { public: 'let through', node: 'unauthenticated', own: undefined, row: undefined } as const;
  const always = closed[routeCase.rule.kind];
  const others = need === 'any' ? [] : SCOPE_NAMES.filter((scope) => scope !== need);
  const fitting = need === 'any' || need === 'never' ? [...SCOPE_NAMES] : [need];
  const dead = always ?? 'unauthenticated';
  return [
    ...(others.length === 0
      ? []
      : [[await bearer(stage, 'token with every scope but the needed one', others), always ?? 'forbidden'] satisfies [Caller, Verdict]]),
    [await bearer(stage, 'token with the needed scope', fitting), always ?? (need === 'never' ? 'forbidden' : 'let through')],
    [await bearer(stage, 'expired token', fitting, 'expired_at'), dead],
    [await bearer(stage, 'revoked token', fitting, 'revoked_at'), dead],
  ];
}

const made = new Map<string, Promise<Caller>>();

/** One token for each use in the whole run. */
function bearer(stage: Stage, name: string, scopes: readonly ScopeName[], end?: 'expired_at' | 'revoked_at'): Promise<Caller> {
  const key = `${name} ${scopes.join()}`;
  const present = made.get(key) ?? make(stage, name, scopes, end);
  made.set(key, present);
  return present;
}

async function make(stage: Stage, name: string, scopes: readonly ScopeName[], end?: 'expired_at' | 'revoked_at'): Promise<Caller> {
  const created = await stage.asOwner<{ id: string; token: string }>('POST', '/api/v1/me/tokens', { name: stage.name('token'), scopes });
  if (end === 'revoked_at') await stage.asOwner('DELETE', `/api/v1/me/tokens/${created.id}`);
  if (end === 'expired_at') {
    const database = stage.platform.application.app.get(DataSource);
    await asSystem('test', () =>
      database.query(`UPDATE api_tokens SET expires_at = now() - interval '1 second' WHERE id = $1`, [created.id]),
    );
  }
  return { ...stage.caller(name, stage.people.owner), authorization: `Bearer ${created.token}` };
}
