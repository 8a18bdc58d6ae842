import { Injectable } from '@nestjs/common';
import type { Actor } from '../../auth/actor.js';
import type { Page, PageQuery } from '../../http/pagination.js';
import { ProjectsService } from '../projects/projects.service.js';
import { parseDotenv } from '../secrets/domain/dotenv.js';
import { PROJECT_SCOPE } from '../secrets/domain/variable.js';
import { VariablesStore } from '../secrets/variables.store.js';
import { type ChangeResult, VariableChanges } from './variable-changes.js';
import { type ListedVariable, VariableListing, type VersionEntry } from './variable-listing.js';

export interface ImportRequest {
  component: string;
  /** Content of a `.env` file. */
  text: string;
  /** Of new variables; those that are there keep theirs. */
  kind: 'plain' | 'secret';
  /** Removes whatever the file does not name. */
  prune: boolean;
  dryRun: boolean;
  ifMatch: string | undefined;
}

/** Variables of projects and components, as far as anybody may read them, and the import of files. */
@Injectable()
export class VariablesService {
  constructor(
    private readonly projects: ProjectsService,
    private readonly store: VariablesStore,
    private readonly listing: VariableListing,
    private readonly changes: VariableChanges,
  ) {}

  /** What is set, or, with a component, everything that it gets; with the revision for If-Match. */
  async list(actor: Actor, projectId: string, component: string | undefined): Promise<{ items: ListedVariable[]; revision: number }> {
    const project = await this.projects.require(actor, projectId, 'read');
    const revision = await this.store.revision(projectId);
    const items = component === undefined ? await this.listing.all(project) : await this.listing.effective(project, component);
    return { items, revision };
  }

  /** All versions of one variable, newest first. */
  async history(actor: Actor, projectId: string, component: string, name: string, page: PageQuery): Promise<Page<VersionEntry>> {
    return this.listing.history(await this.projects.require(actor, projectId, 'read'), component, name, page);
  }

  /** Sets what a `.env` file says. A reference that the file names becomes a value. */
  async import(actor: Actor, projectId: string, request: ImportRequest): Promise<ChangeResult> {
    const project = await this.projects.require(actor, projectId, 'write-secrets');
    const present = (await this.store.current(project.id)).filter(({ component }) => component === request.component);
    const set = Object.entries(parseDotenv(request.text)).map(([name, value]) => {
      const before = present.find((variable) => variable.name === name)?.kind;
      return { name, value, kind: before === undefined || before === 'reference' ? request.kind : before };
    });
    const { component, prune, dryRun, ifMatch } = request;
    return this.changes.apply(actor, projectId, { component, set, remove: [], prune, dryRun, ifMatch });
  }
}

/** How the API writes a scope. */
export function scopeOf(component: string | undefined | null): string {
  return component ?? PROJECT_SCOPE;
}
