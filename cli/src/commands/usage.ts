import { type Usage, allItems, dataOf } from '@hithe/client';
import { usageError } from '../cli-error.js';
import type { Context } from '../context.js';
import { bar, bytes, short } from '../ui/amounts.js';
import { columns } from '../ui/columns.js';
import { nearest } from '../ui/suggest.js';
import { anyTeam } from './quotas.js';

export interface UsageOptions {
  from?: string;
  to?: string;
  by?: string;
  allTeams?: boolean;
  csv?: boolean;
}

const GROUPS = ['day', 'project', 'component', 'team'] as const;
type Group = (typeof GROUPS)[number];

/** `hithe usage`: what a team, or with `--all-teams` every team, used. */
export async function usage(context: Context, options: UsageOptions): Promise<void> {
  const span = { ...(options.from === undefined ? {} : { from: options.from }), ...(options.to === undefined ? {} : { to: options.to }) };
  if (options.csv === true) {
    context.print(await exported(context, options, span));
    return;
  }
  const by = groupOf(options);
  const items = await listed(context, options, by, span);
  context.show(items, () => tableOf(items, by));
}

async function exported(context: Context, options: UsageOptions, span: { from?: string; to?: string }): Promise<string> {
  const { api } = await context.client();
  const query = { ...span, format: 'csv' as const };
  if (options.allTeams === true) return dataOf(api.GET('/api/v1/usage/export', { params: { query }, parseAs: 'text' }));
  const { id: teamId } = await anyTeam(context);
  return dataOf(api.GET('/api/v1/teams/{teamId}/usage/export', { params: { path: { teamId }, query }, parseAs: 'text' }));
}

async function listed(context: Context, options: UsageOptions, by: Group, span: { from?: string; to?: string }): Promise<Usage[]> {
  const { api } = await context.client();
  const page = (cursor: string | undefined): { limit: number; cursor?: string } => ({
    limit: 200,
    ...(cursor === undefined ? {} : { cursor }),
  });
  if (options.allTeams === true)
    return allItems((cursor) => dataOf(api.GET('/api/v1/usage', { params: { query: { ...span, by, ...page(cursor) } } })));
  if (by === 'team') throw usageError('Only the whole platform is summed up by team.', { fix: 'hithe usage --all-teams --by team' });
  const { id: teamId } = await anyTeam(context);
  return allItems((cursor) =>
    dataOf(api.GET('/api/v1/teams/{teamId}/usage', { params: { path: { teamId }, query: { ...span, by, ...page(cursor) } } })),
  );
}

function groupOf({ by, allTeams }: UsageOptions): Group {
  if (by === undefined) return allTeams === true ? 'team' : 'day';
  const found = GROUPS.find((group) => group === by);
  if (found !== undefined) return found;
  throw usageError(`"${by}" is nothing to sum up by.`, {
    fix: `hithe usage --by ${nearest(by, GROUPS) ?? 'day'}   (one of: ${GROUPS.join(', ')})`,
  });
}

function tableOf(items: readonly Usage[], by: Group): string {
  if (items.length === 0) return 'Nothing was used in that time.\n';
  const most = Math.max(...items.map(({ cpuSeconds }) => cpuSeconds));
  const rows = items.map((item) => [
    ...titleOf(item, by),
    short(item.cpuSeconds / 3_600),
    short(item.memoryGbHours),
    short(item.storedGbHours),
    bytes(item.storedMostBytes),
    bar(most === 0 ? 0 : item.cpuSeconds / most),
  ]);
  const head = by === 'component' ? ['PROJECT', 'COMPONENT'] : [by.toUpperCase()];
  return columns([[...head, 'CPU HOURS', 'MEMORY GB·H', 'STORED GB·H', 'STORED AT MOST', ''], ...rows]);
}

function titleOf(item: Usage, by: Group): string[] {
  if (by === 'component') return [item.project ?? '', item.component ?? ''];
  return [item[by] ?? ''];
}
