import { Injectable } from '@nestjs/common';
import { DomainError, type Fault } from '../../common/domain-error.js';
import { PortsService } from '../ports/ports.service.js';
import type { ReferenceOwner } from '../secrets/providers/secret-provider.js';
import { SecretReferences } from '../secrets/providers/secret-references.js';
import { type SetVariable, variablesFor } from '../secrets/domain/variable.js';
import { SecretsService } from '../secrets/secrets.service.js';
import { VariablesStore } from '../secrets/variables.store.js';
import { TeamsService } from '../teams/teams.service.js';
import type { ProjectSpec } from './domain/project-spec.js';
import { takesProjectVariables } from './domain/resolved-component.js';
import { validateProjectSpec } from './domain/validate-spec.js';
import type { ProjectRecord } from './domain/project.js';
import { SourcesService } from './sources.service.js';

/** Checks a specification against the catalogue, the team's uploads and the project's stored secrets. */
@Injectable()
export class SpecChecker {
  constructor(
    private readonly ports: PortsService,
    private readonly sources: SourcesService,
    private readonly secrets: SecretsService,
    private readonly variables: VariablesStore,
    private readonly references: SecretReferences,
    private readonly teams: TeamsService,
  ) {}

  /** Every fault; empty when it can be deployed. */
  async check(teamId: string, spec: ProjectSpec, project: ProjectRecord | null): Promise<Fault[]> {
    const [known, stored, variables, tenant] = await Promise.all([
      this.sources.known(teamId, digestsOf(spec)),
      project === null ? [] : this.secrets.newest(project.id),
      project === null ? [] : this.variables.current(project.id),
      this.teams.tenantOf(teamId),
    ]);
    const owner = { ...tenant, projectId: project?.id ?? '' };
    return validateProjectSpec(this.withVariables(spec, variables), {
      ports: this.ports,
      hasSource: (digest) => known.has(digest),
      storedSecrets: (component) => [...stored, ...variables].filter((each) => each.component === component).map((each) => each.name),
      addressFault: (address) => this.addressFault(owner, address),
    });
  }

  /** The specification as it will run: plain variables take the place of `env`, and may refer to components as `env` does. */
  private withVariables(spec: ProjectSpec, variables: readonly SetVariable[]): ProjectSpec {
    if (variables.length === 0) return spec;
    const components = Object.entries(spec.components).map(([name, component]) => {
      const port = this.ports.find(component.port);
      const set = [...variablesFor(name, port !== undefined && takesProjectVariables(port), variables).values()];
      const plain = set.flatMap((variable) => (variable.kind === 'plain' ? [[variable.name, variable.value ?? ''] as const] : []));
      const other = new Set(set.flatMap((variable) => (variable.kind === 'plain' ? [] : [variable.name])));
      const file = Object.entries(component.env).filter(([key]) => !other.has(key));
      return [name, { ...component, env: { ...Object.fromEntries(file), ...Object.fromEntries(plain) } }] as const;
    });
    return { ...spec, components: Object.fromEntries(components) };
  }

  private addressFault(owner: ReferenceOwner, address: string): Omit<Fault, 'path'> | undefined {
    try {
      this.references.assertMayRead(owner, address);
      return undefined;
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return { code: error.code, message: error.message, ...(error.fix === undefined ? {} : { fix: error.fix }) };
    }
  }
}

function digestsOf(spec: ProjectSpec): string[] {
  return Object.values(spec.components).flatMap(({ source }) =>
    source !== undefined && 'digest' in source && source.digest !== undefined ? [source.digest] : [],
  );
}
