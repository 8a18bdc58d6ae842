import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import type { Actor, TeamRole } from '../../../auth/actor.js';
import { type CustomRule, customRulesSchema } from '../../../auth/custom-rules.js';
import type { RoleRights } from '../../../auth/team-rights.js';
import { DomainError, type Fault, notFound } from '../../../common/domain-error.js';
import type { Transaction } from '../../../common/transaction.js';
import { TransactionRunner, managerOf, violates } from '../../../database/transaction-runner.js';
import { type Page, type PageQuery, pageOf } from '../../../http/pagination.js';
import { invalidRequest } from '../../../http/validation.js';
import { AuditLog } from '../../audit/audit-log.js';
import { CustomRole } from '../team.entity.js';
import { TeamsService } from '../teams.service.js';
import { assertHoldsRules, assertMayGive } from './role-giving.js';
import { TeamProjects } from './team-projects.js';

export interface RoleRequest {
  name: string;
  description: string;
  rules: unknown;
}

/** What is undefined stays. */
export type RoleChange = { [K in keyof RoleRequest]: RoleRequest[K] | undefined };

/** A role that somebody chose for somebody: a built-in one by name, or a custom one by id. */
export interface RoleChoice<B extends TeamRole = TeamRole> {
  role?: B | undefined;
  roleId?: string | undefined;
}

/** A chosen role as it is stored, with what it holds. */
export interface ResolvedRole<B extends TeamRole = TeamRole> {
  role: B | 'custom';
  roleId: string | null;
  /** The built-in role's, or the custom one's. */
  name: string;
  rights: RoleRights;
}

/** Roles that teams make themselves. Nobody makes one that holds more than they do in that team. */
@Injectable()
export class CustomRolesService {
  constructor(
    @InjectRepository(CustomRole) private readonly roles: Repository<CustomRole>,
    private readonly teams: TeamsService,
    private readonly projects: TeamProjects,
    private readonly transactions: TransactionRunner,
    private readonly audit: AuditLog,
  ) {}

  async list(actor: Actor, teamId: string, page: PageQuery): Promise<Page<CustomRole>> {
    await this.teams.require(actor, teamId);
    return pageOf(this.roles.createQueryBuilder('role').where({ teamId }), page);
  }

  async get(actor: Actor, teamId: string, roleId: string): Promise<CustomRole> {
    await this.teams.require(actor, teamId);
    return found(await this.roles.findOneBy({ id: roleId, teamId }), roleId);
  }

  /** Throws `ROLE_NAME_TAKEN`, and `RULE_BEYOND_YOURS` naming each rule that gives what `actor` does not hold. */
  async create(actor: Actor, teamId: string, request: RoleRequest): Promise<CustomRole> {
    await this.teams.require(actor, teamId, 'manage-roles');
    const rules = await this.checkedRules(actor, teamId, request.rules);
    return this.transactions
      .run(async (tx) => {
        const role = await tx.save(tx.create(CustomRole, { teamId, name: request.name, description: request.description, rules }));
        await this.audit.record(tx, { action: 'role.created', teamId, subject: subjectOf(role), after: contentOf(role) });
        return role;
      })
      .catch(nameTaken(request.name));
  }

  /**
   * Changes a role for all who have it, from their next request on. Needs all rights of the old rules as well as of the new ones; while
   * somebody has it, throws `ROLE_TOO_HIGH` for rules that `actor` may not give.
   */
  async update(actor: Actor, teamId: string, roleId: string, change: RoleChange): Promise<CustomRole> {
    await this.teams.require(actor, teamId, 'manage-roles');
    const rules = change.rules === undefined ? undefined : await this.checkedRules(actor, teamId, change.rules);
    return this.transactions
      .run(async (tx) => {
        const role = await this.lock(tx, teamId, roleId);
        assertHoldsRules(actor, teamId, role.rules);
        // For whoever has it, a change is a new role, and that is given like any other.
        if (rules !== undefined && (await isHeld(tx, roleId))) assertMayGive(actor, teamId, [{ rules }]);
        const before = contentOf(role);
        Object.assign(role, {
          ...(change.name === undefined ? {} : { name: change.name }),
          ...(change.description === undefined ? {} : { description: change.description }),
          ...(rules === undefined ? {} : { rules }),
        });
        const saved = await tx.save(role);
        await this.audit.record(tx, { action: 'role.changed', teamId, subject: subjectOf(saved), before, after: contentOf(saved) });
        return saved;
      })
      .catch(nameTaken(change.name ?? ''));
  }

  /** Throws `ROLE_IN_USE` naming those who have it. */
  async remove(actor: Actor, teamId: string, roleId: string): Promise<void> {
    await this.teams.require(actor, teamId, 'manage-roles');
    await this.transactions.run(async (tx) => {
      const role = await this.lock(tx, teamId, roleId);
      assertHoldsRules(actor, teamId, role.rules);
      const users = await usersOf(tx, roleId);
      if (users.length > 0) throw roleInUse(role, users);
      const { id, name } = role;
      const before = contentOf(role);
      await tx.delete(CustomRole, { id });
      await this.audit.record(tx, { action: 'role.deleted', teamId, subject: { type: 'role', id, name }, before });
    });
  }

  /** What a choice stands for in this team; 404 for a role of another one. Keeps the role from going until the commit. */
  async resolve<B extends TeamRole>(tx: Transaction, teamId: string, choice: RoleChoice<B>): Promise<ResolvedRole<B>> {
    if ((choice.role === undefined) === (choice.roleId === undefined)) throw oneRole();
    if (choice.role !== undefined) return { role: choice.role, roleId: null, name: choice.role, rights: choice.role };
    const role = await this.lock(tx, teamId, choice.roleId ?? '');
    return { role: 'custom', roleId: role.id, name: role.name, rights: { rules: role.rules } };
  }

  /** Names and rules of these roles, by id. */
  async byId(roleIds: readonly (string | null)[], tx?: Transaction): Promise<Map<string, CustomRole>> {
    const wanted = roleIds.filter((id) => id !== null);
    if (wanted.length === 0) return new Map();
    const repository = tx === undefined ? this.roles : managerOf(tx).getRepository(CustomRole);
    return new Map((await repository.findBy({ id: In(wanted) })).map((role) => [role.id, role]));
  }

  private async lock(tx: Transaction, teamId: string, roleId: string): Promise<CustomRole> {
    return found(await managerOf(tx).findOne(CustomRole, { where: { id: roleId, teamId }, lock: { mode: 'pessimistic_write' } }), roleId);
  }

  private async checkedRules(actor: Actor, teamId: string, given: unknown): Promise<CustomRule[]> {
    const parsed = customRulesSchema.safeParse(given);
    if (!parsed.success) throw invalidRequest(parsed.error.issues.map(faultOf));
    const named = parsed.data.flatMap((rule) => rule.conditions?.id?.$in ?? []);
    const present = await this.projects.present(teamId, named);
    const faults = parsed.data.flatMap((rule, index) =>
      (rule.conditions?.id?.$in ?? []).filter((id) => !present.has(id)).map((id): Fault => unknownProject(index, id)),
    );
    if (faults.length > 0) throw invalidRequest(faults);
    assertHoldsRules(actor, teamId, parsed.data);
    return parsed.data;
  }
}

function found(role: CustomRole | null, roleId: string): CustomRole {
  if (role === null) throw notFound('role', roleId);
  return role;
}

function contentOf({ name, description, rules }: CustomRole): object {
  return { name, description, rules };
}

function subjectOf({ id, name }: CustomRole): { type: string; id: string; name: string } {
  return { type: 'role', id, name };
}

function faultOf(issue: { path: PropertyKey[]; message: string }): Fault {
  const path = issue.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return {
    path: `rules${path}`,
    code: 'RULE_INVALID',
    message: issue.message,
    fix: 'See docs/roles.md for what rules can say.',
  };
}

function unknownProject(index: number, id: string): Fault {
  return {
    path: `rules[${index}].conditions.id`,
    code: 'PROJECT_UNKNOWN',
    message: `There is no project "${id}" in this team.`,
    fix: 'Take the id from the list of projects.',
  };
}

function oneRole(): DomainError {
  return invalidRequest([
    { path: 'role', code: 'ROLE_CHOICE', message: 'Either "role" or "roleId" is needed, and not both.', fix: 'Name one role.' },
  ]);
}

async function isHeld(tx: Transaction, roleId: string): Promise<boolean> {
  return (await tx.query<unknown[]>('SELECT 1 FROM memberships WHERE role_id = $1 LIMIT 1', [roleId])).length > 0;
}

async function usersOf(tx: Transaction, roleId: string): Promise<string[]> {
  const rows = await tx.query<{ email: string }[]>(
    `SELECT u.email FROM users u WHERE u.id IN
       (SELECT user_id FROM memberships WHERE role_id = $1 UNION SELECT user_id FROM project_grants WHERE role_id = $1) ORDER BY 1 LIMIT 20`,
    [roleId],
  );
  return rows.map((row) => row.email);
}

function roleInUse(role: CustomRole, users: readonly string[]): DomainError {
  return new DomainError('conflict', 'ROLE_IN_USE', `The role "${role.name}" is in use by ${users.join(', ')}.`, {
    fix: 'Give them another role first, or revoke their grants.',
  });
}

function nameTaken(name: string): (error: unknown) => never {
  return (error) => {
    if (!violates(error, 'uq_team_roles_team_id_name')) throw error;
    throw new DomainError('conflict', 'ROLE_NAME_TAKEN', `The team has a role "${name}" already.`, {
      fix: 'Choose another name.',
      cause: error,
    });
  };
}
