import { Injectable } from '@nestjs/common';
import { DomainError } from '../../common/domain-error.js';
import type { Page, PageQuery } from '../../http/pagination.js';
import { mapPage } from '../../http/pagination.js';
import { AllocationsService } from '../nodes/allocations.service.js';
import { PortsService } from '../ports/ports.service.js';
import { addressIn, textIn } from '../projects/domain/project-spec.js';
import type { ProjectRecord } from '../projects/domain/project.js';
import { type ResolvedComponent, takesProjectVariables } from '../projects/domain/resolved-component.js';
import { PROJECT_SCOPE, type VariableKind, type VariableOrigin } from '../secrets/domain/variable.js';
import { SecretsService } from '../secrets/secrets.service.js';
import { type VariableRecord, VariablesStore } from '../secrets/variables.store.js';
import { UserDirectory } from '../users/user-directory.js';

/** A value that a component gets, or that a scope holds; a secret without its text. */
export interface ListedVariable {
  /** Whose it is; `PROJECT_SCOPE` for the project's. */
  component: string;
  name: string;
  kind: VariableKind;
  origin: VariableOrigin;
  /** A plain text, or the address of a reference. */
  value: string | null;
  /** Null for what hithe.yaml says in plain. */
  version: number | null;
  setBy: { id: string; email: string | null } | null;
  setAt: Date | null;
  /** Lower origins that have a value too, which this one hides. */
  overrides: VariableOrigin[];
  /** Whether every running component that it reaches has this very version; null when none runs. */
  inUse: boolean | null;
}

/** Shows which variables there are, and which of several values counts. */
@Injectable()
export class VariableListing {
  constructor(
    private readonly store: VariablesStore,
    private readonly secrets: SecretsService,
    private readonly allocations: AllocationsService,
    private readonly ports: PortsService,
    private readonly users: UserDirectory,
  ) {}

  /** Everything that is set apart from hithe.yaml, the project's first, by name. */
  async all(project: ProjectRecord): Promise<ListedVariable[]> {
    const [set, running] = await Promise.all([this.withPeople(await this.store.current(project.id)), this.running(project)]);
    return set.map(({ record, setBy }) => {
      const reached = running.filter((component) => this.reaches(project, record, component, set));
      return listedOf(record, setBy, [], usedBy(record, reached));
    });
  }

  /** What one component gets, wherever it comes from, by name. */
  async effective(project: ProjectRecord, component: string): Promise<ListedVariable[]> {
    const spec = project.spec.components[component];
    if (spec === undefined) throw componentUnknown(component);
    const port = this.ports.find(spec.port);
    const [set, file, running] = await Promise.all([
      this.withPeople(await this.store.current(project.id)),
      this.ofFile(project, component),
      this.running(project),
    ]);
    const here = running.filter(({ name }) => name === component);
    const own = set.filter(({ record }) => record.component === component);
    const takesShared = port !== undefined && takesProjectVariables(port);
    const shared = takesShared ? set.filter(({ record }) => record.component === PROJECT_SCOPE) : [];
    const layers = [
      own.map(({ record, setBy }) => listedOf(record, setBy, [], usedBy(record, here))),
      shared.map(({ record, setBy }) => listedOf(record, setBy, [], usedBy(record, here))),
      file.map((variable) => ({ ...variable, inUse: fileInUse(variable, here) })),
    ];
    return merged(layers);
  }

  async history(project: ProjectRecord, component: string, name: string, page: PageQuery): Promise<Page<VersionEntry>> {
    const found = await this.store.history(project.id, component, name, page);
    const people = await this.users.emailsOf(found.items.flatMap(({ createdBy }) => (createdBy === null ? [] : [createdBy])));
    if (found.items.length === 0 && page.cursor === undefined) {
      throw new DomainError('not-found', 'VARIABLE_NOT_FOUND', `No variable ${name} was ever set here.`, {
        fix: 'Name the component too, if it belongs to one. What hithe.yaml sets has no history of its own.',
      });
    }
    return mapPage(found, (record) => ({ ...record, setBy: personOf(record.createdBy, people) }));
  }

  /** What hithe.yaml gives to a component, and the passwords that the platform made up for it. */
  private async ofFile(project: ProjectRecord, component: string): Promise<ListedVariable[]> {
    const spec = project.spec.components[component];
    const stored = (await this.secrets.newest(project.id)).filter((secret) => secret.component === component);
    const blank = { component, setBy: null, setAt: null, overrides: [], inUse: null, version: null };
    const named = [
      ...Object.entries(spec?.env ?? {}),
      ...Object.entries(spec?.vars ?? {}).filter(([, value]) => typeof value === 'object'),
    ];
    const plain = named.map(([name, value]): ListedVariable => {
      const address = addressIn(value);
      return {
        ...blank,
        name,
        origin: 'file',
        kind: address === undefined ? 'plain' : 'reference',
        value: address ?? textIn(value) ?? null,
      };
    });
    const secret = stored
      .filter(({ name, generated }) => generated || typeof spec?.vars[name] === 'string')
      .map(({ name, version, generated, at }): ListedVariable => {
        return { ...blank, name, kind: 'secret', value: null, version, setAt: at, origin: generated ? 'generated' : 'file' };
      });
    return [...plain, ...secret];
  }

  private async running(project: ProjectRecord): Promise<ResolvedComponent[]> {
    const allocations = await this.allocations.ofProjects([project.id]);
    return allocations.filter(({ desired }) => desired === 'running').map(({ resolved }) => resolved);
  }

  /** A variable of the project reaches every app that has none of its own by that name. */
  private reaches(project: ProjectRecord, record: VariableRecord, component: ResolvedComponent, set: readonly WithPerson[]): boolean {
    if (record.component !== PROJECT_SCOPE) return record.component === component.name;
    const port = this.ports.find(project.spec.components[component.name]?.port ?? '');
    if (port === undefined || !takesProjectVariables(port)) return false;
    return !set.some((other) => other.record.component === component.name && other.record.name === record.name);
  }

  private async withPeople(records: readonly VariableRecord[]): Promise<WithPerson[]> {
    const people = await this.users.emailsOf(records.flatMap(({ createdBy }) => (createdBy === null ? [] : [createdBy])));
    return records.map((record) => ({ record, setBy: personOf(record.createdBy, people) }));
  }
}

/** One version of a variable, with who made it. */
export interface VersionEntry extends VariableRecord {
  setBy: ListedVariable['setBy'];
}

interface WithPerson {
  record: VariableRecord;
  setBy: ListedVariable['setBy'];
}

function personOf(id: string | null, emails: ReadonlyMap<string, string>): ListedVariable['setBy'] {
  return id === null ? null : { id, email: emails.get(id) ?? null };
}

function listedOf(
  record: VariableRecord,
  setBy: ListedVariable['setBy'],
  overrides: VariableOrigin[],
  inUse: boolean | null,
): ListedVariable {
  const { component, name, kind, value, version, at } = record;
  if (kind === 'removed') throw new TypeError('a removed variable is not listed');
  const origin = component === PROJECT_SCOPE ? 'project' : 'component';
  return { component, name, kind, value, version, setBy, setAt: at, origin, overrides, inUse };
}

/** Of each name the value of the first layer that has one; it says what it hides. */
function merged(layers: readonly (readonly ListedVariable[])[]): ListedVariable[] {
  const byName = new Map<string, ListedVariable>();
  for (const variable of layers.flat()) {
    const first = byName.get(variable.name);
    if (first === undefined) byName.set(variable.name, variable);
    else first.overrides.push(variable.origin);
  }
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** A plain text is in use when the text is, whichever version it came with. */
function usedBy(record: VariableRecord, components: readonly ResolvedComponent[]): boolean | null {
  if (components.length === 0) return null;
  return components.every(({ env, variables }) => {
    const pinned = variables?.[record.name];
    if (record.kind === 'plain') return env[record.name] === record.value && pinned?.kind === 'plain';
    return pinned?.version === record.version && (record.component === PROJECT_SCOPE) === (pinned.origin === 'project');
  });
}

function fileInUse({ kind, name, value, version }: ListedVariable, components: readonly ResolvedComponent[]): boolean | null {
  if (components.length === 0) return null;
  return components.every(({ env, secrets, variables }) => {
    if (kind === 'plain') return env[name] === value;
    return kind === 'secret' ? secrets[name] === version : variables?.[name]?.reference === value;
  });
}

/** The error for a component that the project does not have. */
export function componentUnknown(component: string): DomainError {
  return new DomainError('not-found', 'COMPONENT_NOT_FOUND', `The project has no component "${component}".`, {
    fix: 'Name one of its components, or none for the variables of the project.',
  });
}
