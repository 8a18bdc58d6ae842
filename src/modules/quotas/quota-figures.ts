import type { Transaction } from '../../common/transaction.js';
import { type Amounts, type Demand, effectiveLimits, type EffectiveLimit, type Limits, type QuotaResource } from './domain/quota.js';

/** The limits of a team, as they were set and as they hold. */
export interface TeamLimits {
  /** Slug. */
  team: string;
  own: Limits;
  limits: Record<QuotaResource, EffectiveLimit>;
}

const LIMITS = `
  SELECT t.slug, q.limits AS own, (SELECT limits FROM quota_defaults) AS defaults
  FROM teams t LEFT JOIN team_quotas q ON q.team_id = t.id WHERE t.id = $1`;

/** Reads the limits of a team. */
export async function limitsOf(tx: Transaction, teamId: string): Promise<TeamLimits> {
  const [row] = await tx.query<{ slug: string; own: Limits | null; defaults: Limits | null }[]>(LIMITS, [teamId]);
  if (row === undefined) throw new TypeError(`The team ${teamId} is not within reach`);
  const own = row.own ?? {};
  return { team: row.slug, own, limits: effectiveLimits(row.defaults ?? {}, own) };
}

const PLANNED = `
  SELECT count(*)::int AS projects, coalesce(sum(components), 0)::int AS components, coalesce(sum(memory), 0)::float8 AS memory,
         coalesce(sum(cpu), 0)::float8 AS cpu, coalesce(sum(listen_ports), 0)::int AS "listenPorts",
         (SELECT coalesce(sum(bytes), 0)::float8 FROM component_storage WHERE team_id = $1) AS disk,
         EXISTS (SELECT 1 FROM project_demands WHERE project_id = $2) AS known
  FROM project_demands WHERE team_id = $1 AND project_id IS DISTINCT FROM $2`;

/**
 * What the specifications of a team's projects ask for, deployed or not; the project `without` is left out, and `known` says whether it was there.
 * Disk: what is stored.
 */
export async function plannedBy(tx: Transaction, teamId: string, without: string | null = null): Promise<Amounts & { known: boolean }> {
  const [row] = await tx.query<(Amounts & { known: boolean })[]>(PLANNED, [teamId, without]);
  if (row === undefined) throw new TypeError('a query of sums gives one row');
  return row;
}

// For these figures alone the tables of projects, releases and leases are read from here: each is one sum over one team.
const DEPLOYED = `
  SELECT count(c.*)::int AS components,
         coalesce(sum((c.value->'resources'->>'memory')::float8), 0) AS memory,
         coalesce(sum((c.value->'resources'->>'cpu')::float8), 0) AS cpu,
         coalesce(sum(jsonb_array_length(c.value->'endpoints')), 0)::int AS "listenPorts"
  FROM projects p JOIN releases r ON r.project_id = p.id AND r.number = p.release CROSS JOIN LATERAL jsonb_array_elements(r.components) c
  WHERE p.team_id = $1 AND ($2::uuid IS NULL OR p.id = $2)`;

/** What the releases that a team's projects run ask for; of one project when it is named. */
export async function deployedBy(tx: Transaction, teamId: string, projectId: string | null = null): Promise<Demand> {
  const [row] = await tx.query<Demand[]>(DEPLOYED, [teamId, projectId]);
  if (row === undefined) throw new TypeError('a query of sums gives one row');
  return row;
}
