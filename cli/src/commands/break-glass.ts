import { type components, allItems, dataOf } from '@hithe/client';
import type { Context } from '../context.js';
import { columns } from '../ui/columns.js';
import { type ProofOptions, withProof } from '../ui/proof.js';
import { sanitizeLine } from '../ui/sanitize.js';
import { age } from '../ui/time.js';
import { seenTeam } from './teams.js';

type Case = components['schemas']['BreakGlassCaseDto'];

/** `hithe break-glass open`: emergency rights on a team for a platform admin, in the open. */
export async function openBreakGlass(
  context: Context,
  slug: string,
  options: ProofOptions & { reason: string; minutes: number },
): Promise<void> {
  const { api } = await context.client();
  const team = await seenTeam(context, slug);
  const made = await withProof(context, options, () =>
    dataOf(
      api.POST('/api/v1/teams/{teamId}/break-glass', {
        params: { path: { teamId: team.id } },
        body: { reason: options.reason, minutes: options.minutes },
      }),
    ),
  );
  context.show(
    made,
    () => `You may reveal secrets and exec in ${context.colors.bold(team.slug)} for ${options.minutes} min; its owners see every use.`,
  );
  context.note(`when you are done: hithe break-glass end ${team.slug} ${made.id}`);
}

/** `hithe break-glass`: who broke the glass of a team, when and why. */
export async function listBreakGlass(context: Context, slug: string | undefined): Promise<void> {
  const { api } = await context.client();
  const team = await seenTeam(context, slug);
  const cases = await allItems((cursor) =>
    dataOf(
      api.GET('/api/v1/teams/{teamId}/break-glass', {
        params: { path: { teamId: team.id }, query: { limit: 200, ...(cursor === undefined ? {} : { cursor }) } },
      }),
    ),
  );
  context.show(cases, () =>
    cases.length === 0
      ? `Nobody broke the glass of ${team.slug}.`
      : columns([['WHO', 'SINCE', 'STATE', 'REASON', 'ID'], ...cases.map(rowOf)]),
  );
}

/** `hithe break-glass end`: ends it before its time. */
export async function endBreakGlass(context: Context, slug: string, caseId: string): Promise<void> {
  const { api } = await context.client();
  const team = await seenTeam(context, slug);
  await api.DELETE('/api/v1/teams/{teamId}/break-glass/{caseId}', { params: { path: { teamId: team.id, caseId } } });
  context.show({ id: caseId, team: team.slug, ended: true }, () => `The emergency access to ${context.colors.bold(team.slug)} has ended.`);
}

function rowOf(each: Case): string[] {
  const state = each.active ? `until ${each.expiresAt.slice(11, 16)} UTC` : 'over';
  return [each.email, age(each.createdAt), state, sanitizeLine(each.reason, false), each.id];
}
