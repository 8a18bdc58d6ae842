import type { Action } from '../../../src/auth/ability.js';
import { ALL_ROWS, type Cell, type TableRole } from '../../../src/auth/role-table.js';
import type { RouteCase, Verdict } from './route-case.js';

/** Whether the role table lets `role` do `action` by this row, on a protected project where `shielded`. */
export function tableAllows(rowId: string, action: Action, role: TableRole, shielded: boolean): boolean {
  return cellAllows(cellOf(rowId, role), action, shielded);
}

/** Whether a project's protection makes a difference to anybody in this row. */
export function dependsOnProtection(rowId: string): boolean {
  return (['owner', 'admin', 'developer'] as const).some((role) => {
    const cell = cellOf(rowId, role);
    return cell === 'unprotected' || cell === 'by-grant-when-protected';
  });
}

/** What the table says that a person of this role gets. */
export function verdictFor(routeCase: RouteCase, role: TableRole, shielded: boolean): Verdict {
  const { rule } = routeCase;
  switch (rule.kind) {
    case 'public':
    case 'own':
      return 'let through';
    case 'node':
      return 'unauthenticated';
    case 'row':
      if (tableAllows(rule.row, rule.action, role, shielded)) return 'let through';
      return routeCase.refused ?? 'forbidden';
  }
}

/** What the owner of another team gets, who may do everything there. */
export function verdictForStranger({ rule }: RouteCase): Verdict {
  if (rule.kind === 'node') return 'unauthenticated';
  if (rule.kind !== 'row') return 'let through';
  return rule.of === 'platform' ? 'forbidden' : 'hidden';
}

/** What somebody without any credential gets. */
export function verdictForNobody({ rule }: RouteCase): Verdict {
  return rule.kind === 'public' ? 'let through' : 'unauthenticated';
}

/** The cell of the table; throws for a row that it does not have. */
export function cellOf(rowId: string, role: TableRole): Cell {
  const row = ALL_ROWS.find((candidate) => candidate.id === rowId);
  if (row === undefined) throw new Error(`The role table has no row "${rowId}"`);
  return row.cells[role];
}

function cellAllows(cell: Cell, action: Action, shielded: boolean): boolean {
  switch (cell) {
    case 'yes':
    case 'yes-audited':
    case 'below-own-role':
    case 'team-scope':
    case 'read-and-export':
      return true;
    case 'create-only':
      return action === 'create';
    case 'own':
    case 'metadata':
      return action === 'read';
    case 'unprotected':
    case 'by-grant-when-protected':
      return !shielded;
    // The events under test are a team's; and the glass is whole.
    case 'platform-scope':
    case 'break-glass':
    case 'break-glass-audited':
    case 'no':
    case 'never':
      return false;
    default:
      return true;
  }
}
