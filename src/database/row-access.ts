import type { RequestContext } from '../common/request-context.js';

/** What row-level security reads: migrations/support/row-level-security.ts has the other end. */
export interface RowAccess {
  /** `all`, an array of team ids in PostgreSQL's own spelling, or nothing. */
  teams: string;
  /** Id of the acting user, or nothing. */
  user: string;
}

const NOTHING: RowAccess = { teams: '', user: '' };

/** The rows that a context reaches. Without a context, and before the caller is known: none. */
export function rowAccessOf(context: RequestContext | undefined): RowAccess {
  if (context === undefined) return NOTHING;
  const user = context.actor?.userId ?? '';
  if (context.system === true || context.actor?.teams === 'all') return { teams: 'all', user };
  if (context.actor === undefined) return NOTHING;
  return { teams: `{${context.actor.teams.join(',')}}`, user };
}
