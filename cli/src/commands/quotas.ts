import { type QuotaLimits, type TeamQuota, allItems, dataOf } from '@hithe/client';
import { usageError } from '../cli-error.js';
import type { Context } from '../context.js';
import { findTeam } from '../context.js';
import type { LimitOptions } from '../program/quotas.js';
import { bar, bytes, short } from '../ui/amounts.js';
import { columns } from '../ui/columns.js';
import { nearest } from '../ui/suggest.js';

type QuotaLine = TeamQuota['resources'][number];

const NAMES = {
  projects: 'projects',
  components: 'components',
  memory: 'memory',
  cpu: 'cpu',
  disk: 'disk',
  listenPorts: 'listen-ports',
} as const;
type Resource = keyof typeof NAMES;
const RESOURCES = Object.keys(NAMES) as Resource[];

/** The team of `--team` or the chosen one; a platform administrator may name any. */
export async function anyTeam(context: Context): Promise<{ id: string; slug: string }> {
  const wanted = context.namedTeam;
  if (wanted === undefined || wanted === '') return context.team();
  const me = await context.me();
  const own = me.teams.some(({ id, slug, name }) => id === wanted || slug === wanted || name === wanted);
  if (own || !me.platformAdmin) return findTeam(me.teams, wanted);
  const { api } = await context.client();
  const all = await allItems((cursor) =>
    dataOf(api.GET('/api/v1/teams', { params: { query: { limit: 200, ...(cursor === undefined ? {} : { cursor }) } } })),
  );
  return findTeam(all, wanted);
}

/** `hithe quota`: limits of a team, with what it has and plans. */
export async function showQuota(context: Context): Promise<void> {
  const { api } = await context.client();
  const team = await anyTeam(context);
  const quota = await dataOf(api.GET('/api/v1/teams/{teamId}/quota', { params: { path: { teamId: team.id } } }));
  context.show(quota, () => tableOf(context, quota));
}

/** `hithe quota set`: some limits of a team; the others stay as they are. */
export async function setQuota(context: Context, limits: LimitOptions): Promise<void> {
  if (Object.keys(limits).length === 0)
    throw usageError('Nothing to set.', { fix: 'hithe quota set --projects 20 --memory 8G   (see hithe quota set --help)' });
  await changeQuota(context, (own) => ({ ...own, ...given(limits) }));
}

/** `hithe quota unset`: the platform's defaults hold again. */
export async function unsetQuota(context: Context, names: readonly string[]): Promise<void> {
  const gone = names.length === 0 ? RESOURCES : names.map(resourceNamed);
  await changeQuota(context, (own) => without(own, gone));
}

/** `hithe quota defaults`: the limits of teams that have none of their own. */
export async function quotaDefaults(context: Context, { unset, ...limits }: LimitOptions & { unset?: string }): Promise<void> {
  const { api } = await context.client();
  const before = await dataOf(api.GET('/api/v1/platform/quota-defaults'));
  const gone = unset === undefined ? [] : unset === 'all' ? RESOURCES : unset.split(',').map((name) => resourceNamed(name.trim()));
  const changes = gone.length > 0 || Object.keys(limits).length > 0;
  const body = { ...without(before, gone), ...given(limits) };
  const defaults = changes ? await dataOf(api.PUT('/api/v1/platform/quota-defaults', { body })) : before;
  context.show(defaults, () =>
    columns([['RESOURCE', 'LIMIT'], ...RESOURCES.map((resource) => [NAMES[resource], inWords(resource, defaults[resource] ?? null)])]),
  );
}

/** As the API takes them: null is no limit. */
function given(limits: LimitOptions): QuotaLimits {
  return Object.fromEntries(
    Object.entries(limits).map(([resource, limit]) => [resource, limit === 'unlimited' ? null : (limit as number)]),
  );
}

async function changeQuota(context: Context, change: (own: QuotaLimits) => QuotaLimits): Promise<void> {
  const { api } = await context.client();
  const team = await anyTeam(context);
  const path = { params: { path: { teamId: team.id } } };
  const { own } = await dataOf(api.GET('/api/v1/teams/{teamId}/quota', path));
  const quota = await dataOf(api.PUT('/api/v1/teams/{teamId}/quota', { ...path, body: change(own) }));
  context.show(quota, () => tableOf(context, quota));
}

function tableOf(context: Context, { resources }: TeamQuota): string {
  const rows = resources.map((line) => [
    NAMES[line.resource],
    inWords(line.resource, line.limit),
    inWords(line.resource, line.used),
    line.planned === null ? '-' : inWords(line.resource, line.planned),
    fullness(context, line),
    line.source === 'none' ? '' : `by the ${line.source}`,
  ]);
  return columns([['RESOURCE', 'LIMIT', 'USED', 'PLANNED', '', ''], ...rows]);
}

function fullness(context: Context, { limit, used, planned }: QuotaLine): string {
  if (limit === null) return '';
  const held = planned ?? used;
  const share = limit === 0 ? Number(held > 0) : held / limit;
  const paint = share >= 1 ? context.colors.red : share >= 0.8 ? context.colors.yellow : context.colors.green;
  return paint(bar(share));
}

function inWords(resource: Resource, value: number | null): string {
  if (value === null) return 'unlimited';
  return resource === 'memory' || resource === 'disk' ? bytes(value) : short(value);
}

function without(limits: QuotaLimits, gone: readonly Resource[]): QuotaLimits {
  return Object.fromEntries(Object.entries(limits).filter(([resource]) => !gone.includes(resource as Resource)));
}

function resourceNamed(text: string): Resource {
  const found = RESOURCES.find((resource) => NAMES[resource] === text || resource === text);
  if (found !== undefined) return found;
  const names = Object.values(NAMES);
  throw usageError(`"${text}" is not a resource.`, { fix: `hithe quota unset ${nearest(text, names) ?? names.join(' ')}` });
}
