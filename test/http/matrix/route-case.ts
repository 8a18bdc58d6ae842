import type { Action } from '../../../src/auth/ability.js';
import type { Stage } from './stage.js';

/** What a route is to its callers, in the words of the role table (src/auth/role-table.ts). */
export type Rule =
  /** Anybody, without a log-in. */
  | { kind: 'public' }
  /** The agent of a node, with the node's credential. */
  | { kind: 'node' }
  /** Whoever is logged in, about what is their own; other people's rows are left out or 404. */
  | { kind: 'own' }
  /**
   * Who may do `action` by the row `row` of the role table. `of` is whose thing it is: to outsiders a team's or a project's
   * does not exist (404), while the platform's is refused (403).
   */
  | { kind: 'row'; row: string; action: Action; of: 'platform' | 'team' | 'project' };

/** One request, without its credential. */
export interface Sent {
  /** Filled in: `/api/v1/projects/0199…`. */
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
  /** Instead of a JSON body. */
  raw?: { type: string; content: Buffer };
}

/** Who sends it: a person by their role, or a token. */
export interface Caller {
  name: string;
  /** Of the person behind it, in the team under test. */
  userId: string;
  email: string;
  /** Their own personal team. */
  teamId: string;
  authorization: string | undefined;
}

/** How the matrix calls one operation of the OpenAPI document. */
export interface RouteCase {
  rule: Rule;
  /**
   * Builds the request of `caller` on a thing of the team under test; on its protected project where `shielded` is set. What
   * a success uses up must be made new on each call: a caller that is let through really does it.
   */
  send: (stage: Stage, caller: Caller, shielded: boolean) => Sent | Promise<Sent>;
  /** Statuses beside 2xx that show that the caller was let through, e.g. 400 for a proof that no test can make. */
  letThrough?: readonly number[];
  /** What a member without the right gets instead of 403, where even the row's existence is not theirs to know. */
  refused?: 'hidden';
  /** No token may, whatever the row's machine column says: what it makes outlives the token. */
  sessionOnly?: true;
  /** For lists that everybody may ask for: which ids of the team under test a body shows, to those with the right to read them. */
  shows?: { row: string; action: Action; id: (stage: Stage) => string };
  /** Verdicts that the rule does not give, by the caller's name, with the reason in a comment beside it. */
  except?: Readonly<Record<string, Verdict>>;
}

/** What an answer says about the caller's right. */
export type Verdict = 'let through' | 'unauthenticated' | 'forbidden' | 'hidden';

/** Cases by operationId. */
export type RouteCases = Readonly<Record<string, RouteCase>>;
