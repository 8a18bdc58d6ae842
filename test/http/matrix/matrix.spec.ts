import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { casesWithoutOperation, operationsWithoutCase } from './coverage.js';
import { dependsOnProtection, tableAllows, verdictFor, verdictForNobody, verdictForStranger } from './expectations.js';
import { type MatrixOperation, operations } from './operations.js';
import { ROUTES } from './requests/index.js';
import type { Caller, RouteCase, Verdict } from './route-case.js';
import { type Answer, PEOPLE, type Person, Stage } from './stage.js';
import { tokenCallers, tokenNeedOf } from './tokens.js';

/** R27, R28, R29: every route of the OpenAPI document with everybody who could call it; the role table says what they get. */
describe('the matrix of routes and roles', () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.set();
  }, 60_000);

  afterAll(async () => {
    await stage.strike();
  });

  it('has a case for every operation, and none for others', () => {
    expect(operationsWithoutCase()).toEqual([]);
    expect(casesWithoutOperation()).toEqual([]);
  });

  it.each(covered())('$operation.operationId answers each person as the role table says', async ({ operation, routeCase }) => {
    const found: Record<string, string> = {};
    const wanted: Record<string, string> = {};
    for (const shielded of sidesOf(routeCase)) {
      const side = shielded ? ' (protected)' : '';
      for (const [caller, verdict] of callers(stage, routeCase, shielded)) {
        const answer = await stage.call(operation.method, await routeCase.send(stage, caller, shielded), caller.authorization);
        found[caller.name + side] = verdictOf(answer, routeCase);
        wanted[caller.name + side] = routeCase.except?.[caller.name] ?? verdict;
      }
    }
    expect(found).toEqual(wanted);
  });

  it.each(covered())('$operation.operationId answers each API token as its scopes say', async ({ operation, routeCase }) => {
    const found: Record<string, string> = {};
    const wanted: Record<string, string> = {};
    for (const [caller, verdict] of await tokenCallers(stage, routeCase, operation)) {
      const answer = await stage.call(operation.method, await routeCase.send(stage, caller, false), caller.authorization);
      found[caller.name] = verdictOf(answer, routeCase);
      wanted[caller.name] = routeCase.except?.[caller.name] ?? verdict;
    }
    expect(found).toEqual(wanted);
    if (routeCase.rule.kind === 'row') expect(operation.token).toBe(tokenNeedOf(routeCase, operation));
  });

  it.each(covered().filter(({ operation }) => operation.bodyProperties !== undefined))(
    'R30: $operation.operationId refuses a teamId, a role and anything else that its body does not have',
    async ({ operation, routeCase }) => {
      const caller = stage.caller('somebody who may', stage.people[mightiest(routeCase)]);
      const smuggled = { teamId: stage.stranger.teamId, role: 'owner', platformAdmin: true, userId: stage.stranger.id, kind: 'service' };
      for (const [name, value] of Object.entries(smuggled)) {
        if (operation.bodyProperties?.includes(name)) continue;
        const sent = await routeCase.send(stage, caller, false);
        const body = { ...(sent.body as object), [name]: value };
        const answer = await stage.call(operation.method, { ...sent, body }, caller.authorization);
        expect({ name, status: answer.status, body: answer.body }).toMatchObject({ name, status: 400 });
      }
    },
  );

  it.each(covered().filter(({ routeCase }) => routeCase.shows !== undefined))(
    '$operation.operationId shows rows of the team to those who may read them',
    async ({ operation, routeCase }) => {
      const { shows } = routeCase;
      if (shows === undefined) throw new TypeError('filtered');
      const found: Record<string, boolean> = {};
      const wanted: Record<string, boolean> = { stranger: false };
      for (const role of PEOPLE) wanted[role] = tableAllows(shows.row, shows.action, role, false);
      for (const caller of [...PEOPLE.map((role) => stage.caller(role, stage.people[role])), stage.caller('stranger', stage.stranger)]) {
        const { body } = await stage.call(operation.method, await routeCase.send(stage, caller, false), caller.authorization);
        found[caller.name] = JSON.stringify(body).includes(shows.id(stage));
      }
      expect(found).toEqual(wanted);
    },
  );
});

function covered(): { operation: MatrixOperation; routeCase: RouteCase }[] {
  return operations().flatMap((operation) => {
    const routeCase = ROUTES[operation.operationId];
    return routeCase === undefined ? [] : [{ operation, routeCase }];
  });
}

/** A role that the table lets through. */
function mightiest(routeCase: RouteCase): Person {
  return (['owner', 'platform-admin'] as const).find((role) => verdictFor(routeCase, role, false) === 'let through') ?? 'owner';
}

function sidesOf({ rule }: RouteCase): boolean[] {
  return rule.kind === 'row' && rule.of === 'project' && dependsOnProtection(rule.row) ? [false, true] : [false];
}

function callers(stage: Stage, routeCase: RouteCase, shielded: boolean): [Caller, Verdict][] {
  return [
    [{ ...stage.caller('nobody', stage.stranger), authorization: undefined }, verdictForNobody(routeCase)],
    [{ ...stage.caller('forger', stage.people.owner), authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.' }, verdictForNobody(routeCase)],
    ...PEOPLE.map((role): [Caller, Verdict] => [stage.caller(role, stage.people[role]), verdictFor(routeCase, role, shielded)]),
    [stage.caller('stranger', stage.stranger), verdictForStranger(routeCase)],
  ];
}

/** Anything but a refusal by right or a success is told as it is, and equals no verdict. */
function verdictOf({ status, body }: Answer, { letThrough = [] }: RouteCase): string {
  if ((status >= 200 && status < 400) || letThrough.includes(status)) return 'let through';
  if (status === 401) return 'unauthenticated';
  if (status === 403) return 'forbidden';
  if (status === 404) return 'hidden';
  return `${status} ${JSON.stringify(body)}`;
}
