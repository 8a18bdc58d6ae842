import type { Action, SubjectName } from './ability.js';

/** The columns of the table, in their order: the seven roles. */
export const TABLE_ROLES = ['platform-admin', 'owner', 'admin', 'developer', 'viewer', 'auditor', 'machine-token'] as const;
export type TableRole = (typeof TABLE_ROLES)[number];

/** What a role may do with one row of the table. `cellText` says it in words; src/auth/table-rules.ts makes rules of it. */
export type Cell =
  /** Nothing. */
  | 'no'
  | 'yes'
  /** Yes, and each use is an event that the team sees. */
  | 'yes-audited'
  /** Yes, to members whose role is below one's own; the services compare the roles. */
  | 'below-own-role'
  /** Of the row's actions only `create`. */
  | 'create-only'
  /** Yes, on unprotected projects; on a protected one by a grant for it. */
  | 'by-grant-when-protected'
  /** Only on projects that are not protected. */
  | 'unprotected'
  /** Only on a team for which the glass was broken, as long as that lasts. */
  | 'break-glass'
  | 'break-glass-audited'
  /** Of the row's actions only `read`: that it exists and how it is, not what it says. */
  | 'metadata'
  /** The events of one's own doing, in this team; reading only. */
  | 'own'
  /** The events of the team. */
  | 'team-scope'
  /** The events that belong to no team. */
  | 'platform-scope'
  /** The events of the team, to read and to export. */
  | 'read-and-export'
  /** By no scope at all. */
  | 'never'
  /** A token with this scope, as far as its owner may. */
  | { readonly scope: 'deploy:<project>' | 'secret:write' | 'read' };

/** One line of the table: actions that go together, and what each role may do with them. */
export interface TableRow {
  readonly id: string;
  readonly title: string;
  /** The actions that the row is about, for each kind of thing. */
  readonly rights: Readonly<Partial<Record<SubjectName, readonly Action[]>>>;
  readonly cells: Readonly<Record<TableRole, Cell>>;
}

/** Cells in the order of `TABLE_ROLES`. */
function cells(...given: [Cell, Cell, Cell, Cell, Cell, Cell, Cell]): TableRow['cells'] {
  const [platformAdmin, owner, admin, developer, viewer, auditor, token] = given;
  return { 'platform-admin': platformAdmin, owner, admin, developer, viewer, auditor, 'machine-token': token };
}

/** Who may do what. The policies of all modules derive from it; docs/security.md shows it; whatever it lacks, nobody may do. */
export const ROLE_TABLE: readonly TableRow[] = [
  {
    id: 'platform',
    title: 'users, nodes, quotas, platform settings',
    rights: { User: ['manage'], Node: ['manage'], Platform: ['manage'], Team: ['manage-quota'] },
    cells: cells('yes', 'no', 'no', 'no', 'no', 'no', 'no'),
  },
  {
    id: 'team-ownership',
    title: 'delete or transfer a team',
    rights: { Team: ['delete', 'transfer'] },
    cells: cells('yes-audited', 'yes', 'no', 'no', 'no', 'no', 'no'),
  },
  {
    id: 'members',
    title: 'members, roles, tokens',
    rights: { Team: ['manage-members', 'manage-roles', 'manage-tokens'] },
    cells: cells('no', 'yes', 'below-own-role', 'no', 'no', 'no', 'no'),
  },
  {
    id: 'projects',
    title: 'create / delete projects',
    rights: { Project: ['create', 'delete'] },
    cells: cells('no', 'yes', 'yes', 'create-only', 'no', 'no', 'no'),
  },
  {
    id: 'deploy',
    title: 'deploy, start, stop, rollback, restart, snapshot',
    rights: { Project: ['deploy', 'operate', 'update'] },
    cells: cells('no', 'yes', 'yes', 'by-grant-when-protected', 'no', 'no', { scope: 'deploy:<project>' }),
  },
  {
    id: 'restore',
    title: 'restore data, downgrade',
    rights: { Project: ['restore'] },
    cells: cells('no', 'yes', 'yes', 'unprotected', 'no', 'no', 'no'),
  },
  {
    id: 'set-secrets',
    title: 'set secrets',
    rights: { Project: ['write-secrets'] },
    cells: cells('no', 'yes', 'yes', 'unprotected', 'no', 'no', { scope: 'secret:write' }),
  },
  {
    id: 'reveal-secrets',
    title: 'reveal secrets',
    rights: { Project: ['reveal-secrets'] },
    cells: cells('break-glass-audited', 'yes', 'yes', 'no', 'no', 'no', 'never'),
  },
  {
    id: 'exec',
    title: 'exec / terminal',
    rights: { Project: ['exec'] },
    cells: cells('break-glass', 'yes', 'yes', 'unprotected', 'no', 'no', 'no'),
  },
  {
    id: 'logs',
    title: 'logs, metrics',
    rights: { Project: ['read', 'read-logs'] },
    cells: cells('metadata', 'yes', 'yes', 'yes', 'yes', 'metadata', { scope: 'read' }),
  },
  {
    id: 'audit',
    title: 'audit',
    rights: { AuditEvent: ['read', 'export'] },
    cells: cells('platform-scope', 'team-scope', 'team-scope', 'own', 'no', 'read-and-export', 'no'),
  },
];

/** What the table takes for granted, in the same form. Custom roles have the row `team` too: whoever belongs to a team sees it. */
export const GRANTED_ROWS: readonly TableRow[] = [
  {
    id: 'team',
    title: 'see the team: its name, members and roles',
    rights: { Team: ['read'] },
    cells: cells('yes', 'yes', 'yes', 'yes', 'yes', 'yes', { scope: 'read' }),
  },
  {
    id: 'team-settings',
    title: 'rename the team',
    rights: { Team: ['update'] },
    cells: cells('no', 'yes', 'yes', 'no', 'no', 'no', 'no'),
  },
  {
    id: 'protection',
    title: 'protect a project, or end its protection',
    rights: { Project: ['protect'] },
    cells: cells('no', 'yes', 'yes', 'no', 'no', 'no', 'no'),
  },
  {
    id: 'break-glass',
    title: 'break the glass of a team',
    rights: { Team: ['break-glass'] },
    cells: cells('yes-audited', 'no', 'no', 'no', 'no', 'no', 'no'),
  },
];

export const ALL_ROWS: readonly TableRow[] = [...ROLE_TABLE, ...GRANTED_ROWS];

const TEXTS: Readonly<Record<Extract<Cell, string>, string>> = {
  no: '',
  yes: '✓',
  'yes-audited': '✓ audited',
  'below-own-role': '✓ below own role',
  'create-only': 'create',
  'by-grant-when-protected': '✓; a protected project by list',
  unprotected: 'unprotected',
  'break-glass': 'break-glass',
  'break-glass-audited': 'break-glass, audited',
  metadata: 'metadata',
  own: 'own',
  'team-scope': 'team',
  'platform-scope': 'platform',
  'read-and-export': 'read, export',
  never: 'never',
};

/** A cell as people read it; scopes in backquotes. */
export function cellText(cell: Cell): string {
  return typeof cell === 'string' ? TEXTS[cell] : `\`${cell.scope}\``;
}

/** A table as Markdown; its first column names the actions. */
export function tableAsMarkdown(rows: readonly TableRow[]): string {
  const lines = [
    ['action', ...TABLE_ROLES.map((role) => role.replaceAll('-', ' '))],
    ['---', ...TABLE_ROLES.map(() => '---')],
    ...rows.map((row) => [row.title, ...TABLE_ROLES.map((role) => cellText(row.cells[role]))]),
  ];
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n');
}
