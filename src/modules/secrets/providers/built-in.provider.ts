import { Injectable } from '@nestjs/common';
import { DomainError } from '../../../common/domain-error.js';
import type { SecretReference } from '../domain/secret-reference.js';
import { PROJECT_SCOPE } from '../domain/variable.js';
import { VariablesStore } from '../variables.store.js';
import type { ReadSecret, ReferenceOwner, SecretProvider } from './secret-provider.js';

/** Hithe's own variables: `hithe:project#API_KEY` names one of the same project, e.g. to give it to a database or under another name. */
@Injectable()
export class BuiltInProvider implements SecretProvider {
  constructor(private readonly variables: VariablesStore) {}

  assertMayRead(): void {
    // The address cannot leave the project.
  }

  async read(owner: ReferenceOwner, { key }: SecretReference): Promise<ReadSecret> {
    const all = await this.variables.current(owner.projectId);
    const found = all.find((variable) => variable.component === PROJECT_SCOPE && variable.name === key && variable.kind !== 'reference');
    if (found === undefined) {
      throw new DomainError(
        'invalid',
        'SECRET_REFERENCE_UNKNOWN',
        `The project has no variable ${key} that hithe:project#${key} could name.`,
        {
          fix: `Set it: hithe secrets set ${key}. A variable that is a reference itself cannot be named.`,
        },
      );
    }
    const { name, version, kind } = found;
    const secrets = kind === 'secret' ? await this.variables.reveal(owner, PROJECT_SCOPE, { [name]: version }) : {};
    return { value: secrets[name] ?? found.value ?? '', version };
  }
}
