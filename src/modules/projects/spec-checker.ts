import { Injectable } from '@nestjs/common';
import type { Fault } from '../../common/domain-error.js';
import { PortsService } from '../ports/ports.service.js';
import { SecretsService } from '../secrets/secrets.service.js';
import type { ProjectSpec } from './domain/project-spec.js';
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
  ) {}

  /** Every fault; empty when it can be deployed. */
  async check(teamId: string, spec: ProjectSpec, project: ProjectRecord | null): Promise<Fault[]> {
    const [known, stored] = await Promise.all([
      this.sources.known(teamId, digestsOf(spec)),
      project === null ? [] : this.secrets.newest(project.id),
    ]);
    return validateProjectSpec(spec, {
      ports: this.ports,
      hasSource: (digest) => known.has(digest),
      storedSecrets: (component) => stored.filter((secret) => secret.component === component).map((secret) => secret.name),
    });
  }
}

function digestsOf(spec: ProjectSpec): string[] {
  return Object.values(spec.components).flatMap(({ source }) =>
    source !== undefined && 'digest' in source && source.digest !== undefined ? [source.digest] : [],
  );
}
