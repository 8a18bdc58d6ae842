import { humanBytes } from '../../../common/quantity.js';

/** What a team's quota limits, in the order in which it is shown. `memory` and `disk` in bytes, `cpu` in cores. */
export const QUOTA_RESOURCES = ['projects', 'components', 'memory', 'cpu', 'disk', 'listenPorts'] as const;
export type QuotaResource = (typeof QUOTA_RESOURCES)[number];

/** An absent resource says nothing, `null` is "no limit". */
export type Limits = Partial<Record<QuotaResource, number | null>>;

/** What one project asks for, by its specification. */
export interface Demand {
  components: number;
  memory: number;
  cpu: number;
  listenPorts: number;
}
export const NO_DEMAND: Demand = { components: 0, memory: 0, cpu: 0, listenPorts: 0 };

/** An amount of each resource. */
export type Amounts = Record<QuotaResource, number>;

/** One limit, and where it comes from. */
export interface EffectiveLimit {
  limit: number | null;
  source: 'team' | 'platform' | 'none';
}

/** The limits that hold for a team: its own where it has one, else the platform's, else none. */
export function effectiveLimits(defaults: Limits, own: Limits): Record<QuotaResource, EffectiveLimit> {
  const limitOf = (resource: QuotaResource): EffectiveLimit => {
    const ofTeam = own[resource];
    if (ofTeam !== undefined) return { limit: ofTeam, source: 'team' };
    const ofPlatform = defaults[resource];
    return ofPlatform === undefined ? { limit: null, source: 'none' } : { limit: ofPlatform, source: 'platform' };
  };
  return {
    projects: limitOf('projects'),
    components: limitOf('components'),
    memory: limitOf('memory'),
    cpu: limitOf('cpu'),
    disk: limitOf('disk'),
    listenPorts: limitOf('listenPorts'),
  };
}

/** What stands in the way of a change, in words, with its mend. */
export interface Violation {
  resource: QuotaResource;
  message: string;
  fix: string;
}

export interface QuotaQuestion {
  /** Slug. */
  team: string;
  limits: Record<QuotaResource, EffectiveLimit>;
  /** What the team has without the change, and with it. Disk: what is stored, both times. */
  before: Amounts;
  after: Amounts;
}

/**
 * The limits that a change would break. One that is broken already stays so as long as the change does not ask for more of it: lowering a quota
 * stops nobody's work. Stored data is the exception, since it grows without a change: a team beyond its disk quota changes nothing.
 */
export function violationsOf({ team, limits, before, after }: QuotaQuestion): Violation[] {
  return QUOTA_RESOURCES.flatMap((resource): Violation[] => {
    const { limit } = limits[resource];
    if (limit === null || after[resource] <= limit) return [];
    if (resource === 'disk') return [diskFull(team, limit, after.disk)];
    const added = after[resource] - before[resource];
    return added > 0 ? [{ resource, ...tooMuch(resource, team, limit, before[resource], added) }] : [];
  });
}

function tooMuch(resource: QuotaResource, team: string, limit: number, has: number, added: number): Omit<Violation, 'resource'> {
  const verb = resource === 'memory' || resource === 'cpu' ? 'ask for' : 'have';
  return {
    message: `Team ${team} may ${verb} ${amount(resource, limit)}, has ${bare(resource, has)}, this adds ${bare(resource, added)}.`,
    fix: `Ask a platform administrator for more (hithe quota set --team ${team} ${option(resource, has + added)}), or ${SMALLER[resource]}.`,
  };
}

const SMALLER: Record<QuotaResource, string> = {
  projects: 'delete a project that is not needed',
  components: 'remove components that are not needed',
  memory: 'set a smaller `resources.memory` in hithe.yaml',
  cpu: 'set a smaller `resources.cpu` in hithe.yaml',
  disk: 'delete data',
  listenPorts: 'remove components that are not needed',
};

function diskFull(team: string, limit: number, stored: number): Violation {
  return {
    resource: 'disk',
    message: `Team ${team} may store ${humanBytes(limit)} and stores ${humanBytes(stored)}.`,
    fix: `Delete data that is not needed (it is measured every few minutes), or ask a platform administrator for more (hithe quota set --team ${team} ${option('disk', stored)}).`,
  };
}

/** With its unit, e.g. `20 components`. */
function amount(resource: QuotaResource, value: number): string {
  const many = value === 1 ? '' : 's';
  const words: Record<QuotaResource, string> = {
    projects: `${value} project${many}`,
    components: `${value} component${many}`,
    memory: `${humanBytes(value)} of memory`,
    cpu: `${bare('cpu', value)} CPU core${many}`,
    disk: humanBytes(value),
    listenPorts: `${value} listen port${many}`,
  };
  return words[resource];
}

function bare(resource: QuotaResource, value: number): string {
  if (resource === 'memory' || resource === 'disk') return humanBytes(value);
  return String(Number(value.toFixed(3)));
}

function option(resource: QuotaResource, wanted: number): string {
  const GIGABYTE = 1024 ** 3;
  if (resource === 'memory' || resource === 'disk') return `--${resource} ${Math.ceil(wanted / GIGABYTE)}G`;
  const name = resource === 'listenPorts' ? 'listen-ports' : resource;
  return `--${name} ${resource === 'cpu' ? bare('cpu', wanted) : wanted}`;
}
