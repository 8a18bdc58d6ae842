import type { SecretReference } from '../domain/secret-reference.js';
import type { SecretOwner } from '../secrets.service.js';

/** Whose reference is read: the project, and its team by the names that an operator's template may use. */
export interface ReferenceOwner extends SecretOwner {
  slug: string;
}

/** What a reference names at this moment. */
export interface ReadSecret {
  value: string;
  /** Of the keeper; null where it counts none. */
  version: number | null;
}

/** Keeps secrets under addresses. The built-in one and HashiCorp Vault or OpenBao are two. */
export interface SecretProvider {
  /** Throws unless the owner may name this address at all; asks nobody. */
  assertMayRead(owner: ReferenceOwner, reference: SecretReference): void;
  /** Throws `SECRET_REFERENCE_UNKNOWN` where there is nothing, `SECRET_PROVIDER_UNAVAILABLE` when nobody answers. */
  read(owner: ReferenceOwner, reference: SecretReference): Promise<ReadSecret>;
}
