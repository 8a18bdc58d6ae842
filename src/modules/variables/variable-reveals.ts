import { Injectable } from '@nestjs/common';
import type { Actor } from '../../auth/actor.js';
import { DomainError } from '../../common/domain-error.js';
import { AuditLog } from '../audit/audit-log.js';
import type { ProjectRecord } from '../projects/domain/project.js';
import { ProjectsService } from '../projects/projects.service.js';
import { formatDotenv } from '../secrets/domain/dotenv.js';
import { PROJECT_SCOPE } from '../secrets/domain/variable.js';
import { SecretsService } from '../secrets/secrets.service.js';
import { VariablesStore } from '../secrets/variables.store.js';
import { ownerOf } from './variable-changes.js';
import { type ListedVariable, VariableListing } from './variable-listing.js';

/** A variable with its text; null for a reference that no deploy has read yet. */
export interface RevealedVariable extends ListedVariable {
  text: string | null;
}

/** Shows secrets to people who may see them. Each time is in the audit log before the first value leaves the database. */
@Injectable()
export class VariableReveals {
  constructor(
    private readonly projects: ProjectsService,
    private readonly listing: VariableListing,
    private readonly store: VariablesStore,
    private readonly secrets: SecretsService,
    private readonly audit: AuditLog,
  ) {}

  /**
   * The texts of the named variables, or of all secrets: those that a component gets, or, without one, those of the project. Throws
   * `REVEAL_BY_TOKEN` for API tokens, `VARIABLE_NOT_FOUND`, `AUDIT_UNAVAILABLE`.
   */
  async reveal(actor: Actor, projectId: string, component: string, names: readonly string[] | undefined): Promise<RevealedVariable[]> {
    const project = await this.requireFor(actor, projectId);
    const chosen = chosenOf(await this.visible(project, component), names);
    await this.recordReveal(project, component, 'secret.revealed', chosen);
    return this.texts(project, chosen);
  }

  /** A `.env` file of what is set for a component or for the project; references and what such a file cannot hold are comments in it. */
  async export(actor: Actor, projectId: string, component: string): Promise<{ text: string; count: number }> {
    const project = await this.requireFor(actor, projectId);
    const set = (await this.listing.all(project)).filter((variable) => variable.component === component);
    await this.recordReveal(project, component, 'secret.exported', set);
    const revealed = await this.texts(
      project,
      set.filter(({ kind }) => kind !== 'reference'),
    );
    const { text, unwritable } = formatDotenv(Object.fromEntries(revealed.map((variable) => [variable.name, variable.text ?? ''])));
    const comments = [
      ...set.filter(({ kind }) => kind === 'reference').map(({ name, value }) => `# ${name} is kept elsewhere: ${value ?? ''}`),
      ...unwritable.map((name) => `# ${name} cannot be written in a .env file: its value holds every kind of quotes.`),
    ];
    return { text: text + comments.map((line) => `${line}\n`).join(''), count: revealed.length - unwritable.length };
  }

  private async requireFor(actor: Actor, projectId: string): Promise<ProjectRecord> {
    const project = await this.projects.require(actor, projectId, 'reveal-secrets');
    if (actor.credential.kind !== 'token') return project;
    throw new DomainError('forbidden', 'REVEAL_BY_TOKEN', 'No API token may reveal secrets, whatever its scopes.', {
      fix: 'Log in as a person.',
      details: { audit: { teamId: project.teamId, projectId: project.id } },
    });
  }

  private visible(project: ProjectRecord, component: string): Promise<ListedVariable[]> {
    if (component !== PROJECT_SCOPE) return this.listing.effective(project, component);
    return this.listing.all(project).then((all) => all.filter((variable) => variable.component === PROJECT_SCOPE));
  }

  private async recordReveal(project: ProjectRecord, component: string, action: string, shown: readonly ListedVariable[]): Promise<void> {
    await this.audit.recordNow({
      action,
      teamId: project.teamId,
      projectId: project.id,
      subject: { type: 'project', id: project.id, name: project.name },
      details: {
        ...(component === PROJECT_SCOPE ? {} : { component }),
        variables: shown.map(({ name, origin, kind, version }) => ({ name, origin, kind, ...(version === null ? {} : { version }) })),
      },
    });
  }

  private async texts(project: ProjectRecord, variables: readonly ListedVariable[]): Promise<RevealedVariable[]> {
    const copies = await this.secrets.newestCopies(project.id);
    return Promise.all(variables.map(async (variable) => ({ ...variable, text: await this.textOf(project, variable, copies) })));
  }

  private async textOf(
    project: ProjectRecord,
    { component, name, kind, origin, value, version }: ListedVariable,
    copies: ReadonlyMap<string, { version: number }>,
  ): Promise<string | null> {
    const owner = ownerOf(project);
    if (kind === 'plain') return value;
    if (kind === 'reference') {
      const copy = value === null ? undefined : copies.get(value);
      return value === null || copy === undefined ? null : ((await this.secrets.copies(owner, { [value]: copy.version }))[value] ?? null);
    }
    const keeper = origin === 'file' || origin === 'generated' ? this.secrets : this.store;
    return version === null ? null : ((await keeper.reveal(owner, component, { [name]: version }))[name] ?? null);
  }
}

function chosenOf(all: readonly ListedVariable[], names: readonly string[] | undefined): ListedVariable[] {
  if (names === undefined) return all.filter(({ kind }) => kind !== 'plain');
  return names.map((name) => {
    const found = all.find((variable) => variable.name === name);
    if (found) return found;
    throw new DomainError('not-found', 'VARIABLE_NOT_FOUND', `There is no variable ${name} here.`, {
      fix: 'Name the component too, if it belongs to one.',
    });
  });
}
