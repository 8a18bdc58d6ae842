import { Injectable } from '@nestjs/common';
import { DomainError, type Fault } from '../../common/domain-error.js';
import { PortsService } from '../ports/ports.service.js';
import type { ProjectRecord } from '../projects/domain/project.js';
import { REDACTED } from '../projects/domain/project-spec.js';
import { listed, nearest } from '../projects/domain/suggest.js';
import { SecretReferences } from '../secrets/providers/secret-references.js';
import { PROJECT_SCOPE, type VariableKind } from '../secrets/domain/variable.js';
import { nameFault, valueFault } from '../secrets/domain/variable-names.js';
import { TeamsService } from '../teams/teams.service.js';

/** A value that somebody wants to give to a variable. */
export interface VariableInput {
  name: string;
  kind: VariableKind;
  value: string;
}

/** What variables may be called and hold. */
@Injectable()
export class VariableRules {
  constructor(
    private readonly ports: PortsService,
    private readonly references: SecretReferences,
    private readonly teams: TeamsService,
  ) {}

  /** Throws `VARIABLES_INVALID` with every fault. `component`: whose they are; `PROJECT_SCOPE` for the project's. */
  async assertValid(project: ProjectRecord, component: string, inputs: readonly VariableInput[]): Promise<void> {
    const { slug } = await this.teams.tenantOf(project.teamId);
    const owner = { teamId: project.teamId, projectId: project.id, slug };
    const faults = [
      ...componentFaults(project, component),
      ...duplicateFaults(inputs),
      ...inputs.flatMap((input, index) => [
        ...formFaults(input, `variables[${index}]`),
        ...this.varFaults(project, component, input, `variables[${index}]`),
        ...(input.kind === 'reference' ? this.referenceFaults(owner, input.value, `variables[${index}].value`) : []),
      ]),
    ];
    if (faults.length === 0) return;
    throw new DomainError('invalid', 'VARIABLES_INVALID', `Nothing was set: ${faults[0]?.message ?? ''}`, { faults });
  }

  /** One that is called like a secret var of the component's port is that var, so the port's schema holds for it. */
  private varFaults(project: ProjectRecord, component: string, { name, kind, value }: VariableInput, path: string): Fault[] {
    const spec = project.spec.components[component];
    const port = spec === undefined ? undefined : this.ports.find(spec.port);
    if (port === undefined || !port.secretVars.some((secret) => secret.name === name)) return [];
    if (kind === 'plain') {
      return [
        {
          path: `${path}.kind`,
          code: 'VARIABLE_MUST_BE_SECRET',
          message: `${name} is a secret of the port "${port.name}".`,
          fix: 'Set it as a secret.',
        },
      ];
    }
    if (kind === 'reference') return [];
    const faults = port.checkVars({ [name]: value }, []).filter((fault) => fault.path === name);
    return faults.map((fault) => ({ ...fault, path: `${path}.value` }));
  }

  private referenceFaults(owner: Parameters<SecretReferences['assertMayRead']>[0], text: string, path: string): Fault[] {
    try {
      this.references.assertMayRead(owner, text);
      return [];
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return [{ path, code: error.code, message: error.message, ...(error.fix === undefined ? {} : { fix: error.fix }) }];
    }
  }
}

function componentFaults(project: ProjectRecord, component: string): Fault[] {
  const names = Object.keys(project.spec.components);
  if (component === PROJECT_SCOPE || names.includes(component)) return [];
  const near = nearest(component, names);
  return [
    {
      path: 'component',
      code: 'COMPONENT_UNKNOWN',
      message: `The project has no component "${component}".`,
      fix: near === undefined ? `It has: ${listed(names)}.` : `Did you mean "${near}"?`,
    },
  ];
}

function duplicateFaults(inputs: readonly VariableInput[]): Fault[] {
  return inputs.flatMap(({ name }, index) =>
    inputs.findIndex((other) => other.name === name) === index
      ? []
      : [
          {
            path: `variables[${index}].name`,
            code: 'VARIABLE_DUPLICATE',
            message: `${name} is given twice.`,
            fix: 'Remove one of the two.',
          },
        ],
  );
}

function formFaults({ name, value }: VariableInput, path: string): Fault[] {
  const faults = [nameFault(name, `${path}.name`), valueFault(value, `${path}.value`)].filter((fault) => fault !== undefined);
  if (value !== REDACTED) return faults;
  return [
    ...faults,
    {
      path: `${path}.value`,
      code: 'VARIABLE_IS_MASK',
      message: 'This is the mask of a hidden value, not a value.',
      fix: 'Leave the variable out: it keeps its value.',
    },
  ];
}
