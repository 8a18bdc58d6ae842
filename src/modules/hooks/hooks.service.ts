import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import type { Actor } from '../../auth/actor.js';
import { DomainError, notFound } from '../../common/domain-error.js';
import { newId } from '../../common/ids.js';
import type { Transaction } from '../../common/transaction.js';
import { TransactionRunner, managerOf, violates } from '../../database/transaction-runner.js';
import { type Page, type PageQuery, pageOf } from '../../http/pagination.js';
import { Envelopes, placeOf } from '../../vault/envelopes.js';
import { AuditLog } from '../audit/audit-log.js';
import { ProjectsService } from '../projects/projects.service.js';
import { DeployHook, HookDelivery, type HookKind } from './hook.entities.js';
import { newHookSecret } from './hook-signature.js';

/** A hook with its secret, which is shown to whoever made it and to nobody after. */
export interface SecretHook {
  hook: DeployHook;
  secret: string;
}

const MOST_HOOKS = 20;

/** Deploy hooks of projects: who may deploy a project may make them, and those of others end. */
@Injectable()
export class HooksService {
  constructor(
    @InjectRepository(DeployHook) private readonly hooks: Repository<DeployHook>,
    @InjectRepository(HookDelivery) private readonly deliveries: Repository<HookDelivery>,
    private readonly projects: ProjectsService,
    private readonly envelopes: Envelopes,
    private readonly transactions: TransactionRunner,
    private readonly audit: AuditLog,
  ) {}

  /** Makes a hook that acts with the caller's right of each moment. Throws `HOOK_NAME_TAKEN`, `HOOKS_TOO_MANY`. */
  async create(actor: Actor, projectId: string, wish: { name: string; kind: HookKind }): Promise<SecretHook> {
    const project = await this.projects.require(actor, projectId, actionOf(wish.kind));
    const id = newId();
    const secret = newHookSecret();
    const sealed = await this.envelopes.encrypt(placeOfHook(id), secret);
    const hook = await this.transactions
      .run(async (tx) => {
        if ((await tx.countBy(DeployHook, { projectId })) >= MOST_HOOKS) throw tooMany();
        const made = tx.create(DeployHook, { ...wish, id, projectId, teamId: project.teamId, secret: sealed });
        Object.assign(made, { createdBy: actor.userId, enabled: true, secretSince: new Date() });
        await tx.save(made);
        await this.record(tx, 'hook.created', made, { after: { kind: wish.kind } });
        return made;
      })
      .catch((error: unknown) => {
        throw violates(error, 'uq_deploy_hooks_project_id_name') ? nameTaken(wish.name, error) : error;
      });
    return { hook, secret };
  }

  async list(actor: Actor, projectId: string, page: PageQuery): Promise<Page<DeployHook>> {
    await this.projects.require(actor, projectId, 'read');
    return pageOf(this.hooks.createQueryBuilder('hook').where({ projectId }), page);
  }

  /** What came in at a hook, newest first. */
  async listDeliveries(actor: Actor, projectId: string, hookId: string, page: PageQuery): Promise<Page<HookDelivery>> {
    await this.projects.require(actor, projectId, 'read');
    await this.find(projectId, hookId);
    return pageOf(this.deliveries.createQueryBuilder('delivery').where({ hookId }), page, 'DESC');
  }

  /** Replaces the secret at once. From now on the hook acts with the right of the caller, who alone knows the new one. */
  async rotate(actor: Actor, projectId: string, hookId: string): Promise<SecretHook> {
    const { kind } = await this.requireHook(actor, projectId, hookId);
    await this.projects.require(actor, projectId, actionOf(kind));
    const secret = newHookSecret();
    const sealed = await this.envelopes.encrypt(placeOfHook(hookId), secret);
    const hook = await this.transactions.run(async (tx) => {
      const locked = await this.lock(tx, projectId, hookId);
      const before = { createdBy: locked.createdBy };
      Object.assign(locked, { secret: sealed, createdBy: actor.userId, secretSince: new Date() });
      await tx.save(locked);
      await this.record(tx, 'hook.secret-rotated', locked, { before, after: { createdBy: actor.userId } });
      return locked;
    });
    return { hook, secret };
  }

  /** Switches a hook off or on. */
  async setEnabled(actor: Actor, projectId: string, hookId: string, enabled: boolean): Promise<DeployHook> {
    await this.requireHook(actor, projectId, hookId);
    return this.transactions.run(async (tx) => {
      const hook = await this.lock(tx, projectId, hookId);
      if (hook.enabled === enabled) return hook;
      hook.enabled = enabled;
      await tx.save(hook);
      await this.record(tx, enabled ? 'hook.enabled' : 'hook.disabled', hook, {});
      return hook;
    });
  }

  async remove(actor: Actor, projectId: string, hookId: string): Promise<void> {
    await this.requireHook(actor, projectId, hookId);
    await this.transactions.run(async (tx) => {
      const hook = await this.lock(tx, projectId, hookId);
      await this.record(tx, 'hook.deleted', hook, {});
      await tx.delete(DeployHook, { id: hook.id });
    });
  }

  /** The hook whoever asks, for the receiver. */
  byId(hookId: string): Promise<DeployHook | null> {
    return this.hooks.findOneBy({ id: hookId });
  }

  /** The secret of a hook, for the receiver. */
  secretOf(hook: DeployHook): Promise<string> {
    return this.envelopes.decrypt(placeOfHook(hook.id), hook.secret);
  }

  private async requireHook(actor: Actor, projectId: string, hookId: string): Promise<DeployHook> {
    await this.projects.require(actor, projectId, 'deploy');
    return this.find(projectId, hookId);
  }

  private async find(projectId: string, hookId: string): Promise<DeployHook> {
    const hook = await this.hooks.findOneBy({ id: hookId, projectId });
    if (hook === null) throw notFound('hook', hookId);
    return hook;
  }

  private async lock(tx: Transaction, projectId: string, hookId: string): Promise<DeployHook> {
    const hook = await managerOf(tx).findOne(DeployHook, { where: { id: hookId, projectId }, lock: { mode: 'pessimistic_write' } });
    if (hook === null) throw notFound('hook', hookId);
    return hook;
  }

  private record(tx: Transaction, action: string, hook: DeployHook, changed: { before?: unknown; after?: unknown }): Promise<void> {
    const { id, name, teamId, projectId } = hook;
    return this.audit.record(tx, { action, teamId, projectId, subject: { type: 'hook', id, name }, ...changed });
  }
}

/** What a hook of this kind does to its project. */
export function actionOf(kind: HookKind): 'deploy' | 'operate' {
  return kind === 'deploy' ? 'deploy' : 'operate';
}

function placeOfHook(hookId: string): string {
  return placeOf('deploy-hook', hookId);
}

function tooMany(): DomainError {
  return new DomainError('quota', 'HOOKS_TOO_MANY', `This project has ${MOST_HOOKS} hooks already.`, {
    fix: 'Delete those that nobody uses.',
  });
}

function nameTaken(name: string, cause: unknown): DomainError {
  return new DomainError('conflict', 'HOOK_NAME_TAKEN', `This project has a hook "${name}" already.`, {
    fix: 'Choose another name.',
    cause,
  });
}
