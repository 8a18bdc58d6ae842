import { Injectable } from '@nestjs/common';
import { type PinnedVariable, PROJECT_SCOPE } from './domain/variable.js';
import { type SecretOwner, SecretsService } from './secrets.service.js';
import { VariablesStore } from './variables.store.js';

/** What a release says of a component's secrets. */
export interface PinnedSecrets {
  /** Secret var → version. */
  secrets: Readonly<Record<string, number>>;
  variables?: Readonly<Record<string, PinnedVariable>>;
}

/** The secret values of a component, by what they are for. */
export interface ComponentSecrets {
  vars: Record<string, string>;
  env: Record<string, string>;
}

/** Decrypts what a release pins, for the node that runs the component. */
@Injectable()
export class SecretValues {
  constructor(
    private readonly secrets: SecretsService,
    private readonly variables: VariablesStore,
  ) {}

  /** Throws `SECRET_UNREADABLE` when one of them is not what was stored. */
  async of(owner: SecretOwner, component: string, pinned: PinnedSecrets): Promise<ComponentSecrets> {
    const all = Object.entries(pinned.variables ?? {});
    const [fromFile, own, shared, copies] = await Promise.all([
      this.secrets.reveal(owner, component, pinned.secrets),
      this.variables.reveal(owner, component, versionsOf(all, 'component')),
      this.variables.reveal(owner, PROJECT_SCOPE, versionsOf(all, 'project')),
      this.secrets.copies(owner, copiesOf(all)),
    ]);
    const values: ComponentSecrets = { vars: { ...fromFile }, env: {} };
    for (const [name, variable] of all) {
      const value = variable.reference === undefined ? (variable.origin === 'component' ? own : shared)[name] : copies[variable.reference];
      if (variable.kind !== 'plain' && value !== undefined) values[variable.as === 'var' ? 'vars' : 'env'][name] = value;
    }
    return values;
  }
}

function versionsOf(all: readonly [string, PinnedVariable][], origin: 'component' | 'project'): Record<string, number> {
  return Object.fromEntries(
    all.flatMap(([name, variable]) =>
      variable.kind === 'secret' && variable.origin === origin && variable.version !== undefined ? [[name, variable.version]] : [],
    ),
  );
}

function copiesOf(all: readonly [string, PinnedVariable][]): Record<string, number> {
  return Object.fromEntries(
    all.flatMap(([, { reference, copy }]) => (reference === undefined || copy === undefined ? [] : [[reference, copy]])),
  );
}
