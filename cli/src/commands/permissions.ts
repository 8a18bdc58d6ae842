import { type Project, allItems, dataOf } from '@hithe/client';
import type { Context } from '../context.js';
import { columns } from '../ui/columns.js';

/** The columns of the table: what people ask for, and the actions that the rules name. */
const PROJECT_ACTIONS = {
  SEE: 'read',
  LOGS: 'read-logs',
  APPLY: 'update',
  DEPLOY: 'deploy',
  OPERATE: 'operate',
  RESTORE: 'restore',
  'SET SECRETS': 'write-secrets',
  REVEAL: 'reveal-secrets',
  EXEC: 'exec',
  PROTECT: 'protect',
  DELETE: 'delete',
} as const;

const TEAM_ACTIONS = [
  'read',
  'update',
  'manage-members',
  'manage-roles',
  'manage-tokens',
  'manage-quota',
  'break-glass',
  'transfer',
  'delete',
];

type Rules = unknown[][];

/** `hithe permissions`: what the caller may do in the team, project by project. */
export async function permissions(context: Context): Promise<void> {
  const { api } = await context.client();
  const team = await context.team();
  const { rules } = await dataOf(api.GET('/api/v1/me/permissions'));
  const projects = await allItems((cursor) =>
    dataOf(
      api.GET('/api/v1/projects', { params: { query: { teamId: team.id, limit: 200, ...(cursor === undefined ? {} : { cursor }) } } }),
    ),
  );
  const ofTeam = TEAM_ACTIONS.filter((action) => allows(rules, action, 'Team', { id: team.id }));
  const creates = allows(rules, 'create', 'Project', { id: '', teamId: team.id, protected: false });
  const shown = {
    team: team.slug,
    teamActions: ofTeam,
    createProjects: creates,
    projects: projects.map((project) => ({
      project: project.name,
      protected: project.protected,
      actions: Object.values(PROJECT_ACTIONS).filter((action) => onProject(rules, action, project)),
    })),
  };
  context.show(shown, () => {
    const head = `In the team ${context.colors.bold(team.slug)} you may: ${ofTeam.join(', ') || 'nothing'}${creates ? ', create projects' : ''}\n`;
    if (projects.length === 0) return head;
    const rows = projects.map((project) => [
      project.protected ? `${project.name} (protected)` : project.name,
      ...Object.values(PROJECT_ACTIONS).map((action) => (onProject(rules, action, project) ? '✓' : '')),
    ]);
    return `${head}\n${columns([['PROJECT', ...Object.keys(PROJECT_ACTIONS)], ...rows])}`;
  });
}

function onProject(rules: Rules, action: string, { id, teamId, protected: on }: Project): boolean {
  return allows(rules, action, 'Project', { id, teamId, protected: on });
}

/** Whether packed rules allow something. The server's rules only ever add, so one that fits is enough. */
export function allows(rules: Rules, action: string, subject: string, attributes: Readonly<Record<string, unknown>>): boolean {
  return rules.some(([actions, subjects, conditions, inverted]) => {
    const named = String(actions).split(',');
    if (!named.includes(action) && !named.includes('manage')) return false;
    if (!String(subjects).split(',').includes(subject) || Boolean(inverted)) return false;
    return typeof conditions !== 'object' || conditions === null || fits(conditions, attributes);
  });
}

function fits(conditions: object, attributes: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(conditions).every(([name, wanted]: [string, unknown]) => {
    const value = attributes[name];
    if (typeof wanted !== 'object' || wanted === null) return value === wanted;
    if ('$in' in wanted && Array.isArray(wanted.$in)) return wanted.$in.includes(value);
    return '$nin' in wanted && Array.isArray(wanted.$nin) && !wanted.$nin.includes(value);
  });
}
