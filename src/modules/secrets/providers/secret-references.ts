import { Injectable } from '@nestjs/common';
import { DomainError } from '../../../common/domain-error.js';
import { parseReference } from '../domain/secret-reference.js';
import { BuiltInProvider } from './built-in.provider.js';
import type { ReadSecret, ReferenceOwner, SecretProvider } from './secret-provider.js';
import { VaultProvider } from './vault.provider.js';

/** Reads what references name, from whichever keeper they name. */
@Injectable()
export class SecretReferences {
  private readonly providers: Readonly<Record<'hithe' | 'vault', SecretProvider>>;

  constructor(builtIn: BuiltInProvider, vault: VaultProvider) {
    this.providers = { hithe: builtIn, vault };
  }

  /** Throws unless this is a reference that the owner may name. Asks nobody. */
  assertMayRead(owner: ReferenceOwner, text: string): void {
    const reference = parseReference(text);
    this.providers[reference.provider].assertMayRead(owner, reference);
  }

  /** What the references name at this moment. Throws for the first that cannot be read, and says which variables wait for it. */
  async read(owner: ReferenceOwner, references: ReadonlyMap<string, readonly string[]>): Promise<Map<string, ReadSecret>> {
    const read = [...references].map(async ([text, users]) => {
      const reference = parseReference(text);
      try {
        return [text, await this.providers[reference.provider].read(owner, reference)] as const;
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        throw new DomainError(error.kind, error.code, `${users.join(', ')}: ${error.message}`, {
          ...(error.fix === undefined ? {} : { fix: error.fix }),
          cause: error.cause ?? error,
        });
      }
    });
    return new Map(await Promise.all(read));
  }
}
