import { Injectable } from '@nestjs/common';
import type { Actor } from '../../auth/actor.js';
import { DomainError, notFound } from '../../common/domain-error.js';
import type { Transaction } from '../../common/transaction.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import { assertIfMatch } from '../../http/etag.js';
import { AuditLog } from '../audit/audit-log.js';
import type { ProjectRecord } from '../projects/domain/project.js';
import { ProjectsService } from '../projects/projects.service.js';
import { MOST_VARIABLES } from '../secrets/domain/variable-names.js';
import { type SetVariable, PROJECT_SCOPE } from '../secrets/domain/variable.js';
import { VariablesStore } from '../secrets/variables.store.js';
import { type VariableInput, VariableRules } from './variable-rules.js';

export const CHANGE_ACTIONS = ['created', 'changed', 'unchanged', 'removed'] as const;

/** What happens, or would happen, to one variable. */
export interface VariableChange {
  component: string;
  name: string;
  action: (typeof CHANGE_ACTIONS)[number];
  kind: SetVariable['kind'];
  /** The version that it has then; absent when it is gone, and in a dry run when it would be new. */
  version?: number;
}

export interface ChangeRequest {
  component: string;
  set: readonly VariableInput[];
  /** Names to take away. */
  remove: readonly string[];
  /** Takes away whatever the scope has besides `set`. */
  prune?: boolean;
  ifMatch?: string | undefined;
  /** Says what would happen, and does nothing. */
  dryRun?: boolean;
}

/** What was done, and the revision of the project's variables after it. */
export interface ChangeResult {
  changes: VariableChange[];
  revision: number;
}

/** Sets and removes variables: all that is asked for at once, or nothing. */
@Injectable()
export class VariableChanges {
  constructor(
    private readonly projects: ProjectsService,
    private readonly rules: VariableRules,
    private readonly store: VariablesStore,
    private readonly transactions: TransactionRunner,
    private readonly audit: AuditLog,
  ) {}

  /** Throws `VARIABLES_INVALID`, `VARIABLE_NOT_FOUND`, `VERSION_MISMATCH`. A value that is there already makes no new version. */
  async apply(actor: Actor, projectId: string, request: ChangeRequest): Promise<ChangeResult> {
    const project = await this.projects.require(actor, projectId, 'write-secrets');
    await this.rules.assertValid(project, request.set.length === 0 ? PROJECT_SCOPE : request.component, request.set);
    return this.transactions.run(async (tx) => {
      if ((await this.projects.lock(tx, projectId)) === null) throw notFound('project', projectId);
      assertIfMatch(request.ifMatch, await this.store.revision(projectId, tx));
      const all = await this.store.current(projectId, tx);
      const present = new Map(all.filter(({ component }) => component === request.component).map((variable) => [variable.name, variable]));
      assertRoom(all.length, present, request);
      const work = { tx, project, request, userId: actor.userId };
      const changes: VariableChange[] = [];
      for (const input of request.set) changes.push(await this.set(work, input, present.get(input.name)));
      for (const variable of toRemove(request, present)) changes.push(await this.remove(work, variable));
      return { changes, revision: await this.store.revision(projectId, tx) };
    });
  }

  private async set(work: Work, input: VariableInput, before: SetVariable | undefined): Promise<VariableChange> {
    const { tx, project, request, userId } = work;
    const { component } = request;
    const old = before === undefined ? undefined : await this.valueOf(work, before);
    const base = { component, name: input.name, kind: input.kind };
    if (before?.kind === input.kind && old === input.value) return { ...base, action: 'unchanged', version: before.version };
    const action = before === undefined ? 'created' : 'changed';
    if (request.dryRun === true) return { ...base, action };
    const version = await this.store.add(tx, ownerOf(project), { component, ...input }, userId);
    await this.record(work, 'secret.set', input.name, {
      ...(before === undefined || old === undefined ? {} : { before: this.shown(before.kind, before.version, old) }),
      after: this.shown(input.kind, version, input.value),
    });
    return { ...base, action, version };
  }

  private async remove(work: Work, before: SetVariable): Promise<VariableChange> {
    const { tx, project, request, userId } = work;
    const { component, name, kind } = before;
    const change = { component, name, kind, action: 'removed' } as const;
    if (request.dryRun === true) return change;
    const old = await this.valueOf(work, before);
    await this.store.add(tx, ownerOf(project), { component, name, kind: 'removed', value: '' }, userId);
    await this.record(work, 'secret.removed', name, { before: this.shown(kind, before.version, old) });
    return change;
  }

  private async valueOf({ tx, project }: Work, { component, name, version, kind, value }: SetVariable): Promise<string> {
    if (kind !== 'secret') return value ?? '';
    return (await this.store.reveal(ownerOf(project), component, { [name]: version }, tx))[name] ?? '';
  }

  private record({ tx, project, request }: Work, action: string, name: string, states: { before?: object; after?: object }): Promise<void> {
    const { component } = request;
    return this.audit.record(tx, {
      action,
      teamId: project.teamId,
      projectId: project.id,
      subject: {
        type: 'variable',
        id: `${project.id}/${component}/${name}`,
        name: component === PROJECT_SCOPE ? name : `${component}.${name}`,
      },
      ...states,
    });
  }

  /** A secret only as a keyed hash. */
  private shown(kind: SetVariable['kind'], version: number, value: string): object {
    return { kind, version, ...(kind === 'secret' ? { fingerprint: this.audit.fingerprint(value) } : { value }) };
  }
}

interface Work {
  tx: Transaction;
  project: ProjectRecord;
  request: ChangeRequest;
  userId: string;
}

/** Whose variables those of a project are. */
export function ownerOf(project: Pick<ProjectRecord, 'id' | 'teamId'>): { teamId: string; projectId: string } {
  return { teamId: project.teamId, projectId: project.id };
}

function toRemove(request: ChangeRequest, present: ReadonlyMap<string, SetVariable>): SetVariable[] {
  if (request.prune === true) {
    const kept = new Set(request.set.map(({ name }) => name));
    return [...present.values()].filter(({ name }) => !kept.has(name));
  }
  return request.remove.map((name) => {
    const found = present.get(name);
    if (found) return found;
    const where = request.component === PROJECT_SCOPE ? 'The project' : `The component "${request.component}"`;
    throw new DomainError('not-found', 'VARIABLE_NOT_FOUND', `${where} has no variable ${name}.`, {
      fix: 'List them, with their components: GET /api/v1/projects/{projectId}/variables. What hithe.yaml sets is changed there.',
    });
  });
}

function assertRoom(count: number, present: ReadonlyMap<string, SetVariable>, request: ChangeRequest): void {
  const added = request.set.filter(({ name }) => !present.has(name)).length;
  if (added === 0 || count + added <= MOST_VARIABLES) return;
  throw new DomainError('quota', 'VARIABLES_TOO_MANY', `A project can have ${MOST_VARIABLES} variables; it would have ${count + added}.`, {
    fix: 'Remove some first, or keep a file of settings in the source.',
  });
}
