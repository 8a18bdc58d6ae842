import { Injectable } from '@nestjs/common';
import { DomainError } from '../../../common/domain-error.js';
import { Config } from '../../../config/config.js';
import { directoryOf, isWithin, type SecretReference } from '../domain/secret-reference.js';
import type { ReadSecret, ReferenceOwner, SecretProvider } from './secret-provider.js';
import { VaultClient } from './vault-client.js';

/**
 * Secrets of HashiCorp Vault or OpenBao (KV version 2). The control plane's credential reaches those of all teams, so the operator's
 * template of paths decides which of them a team may name.
 */
@Injectable()
export class VaultProvider implements SecretProvider {
  private readonly client: VaultClient | undefined;

  constructor(private readonly config: Config) {
    const { vaultAddress, vaultNamespace, vaultTokenFile, vaultRoleId, vaultSecretIdFile } = config;
    if (vaultAddress === undefined) return;
    if (vaultTokenFile === undefined && (vaultRoleId === undefined || vaultSecretIdFile === undefined)) {
      throw new DomainError('invalid', 'CONFIG_INVALID', 'HITHE_VAULT_ADDR is set, but no credential for it.', {
        fix: 'Set HITHE_VAULT_TOKEN_FILE, or HITHE_VAULT_ROLE_ID and HITHE_VAULT_SECRET_ID_FILE.',
      });
    }
    this.client = new VaultClient({
      address: vaultAddress,
      namespace: vaultNamespace,
      tokenFile: vaultTokenFile,
      roleId: vaultRoleId,
      secretIdFile: vaultSecretIdFile,
    });
  }

  assertMayRead(owner: ReferenceOwner, reference: SecretReference): void {
    this.connected();
    const { vaultPath } = this.config;
    if (isWithin(reference, vaultPath, owner)) return;
    throw new DomainError('invalid', 'SECRET_REFERENCE_OUTSIDE', `Your team has no access to vault:${reference.path}.`, {
      fix: `Name a path below ${directoryOf(vaultPath, owner)}/.`,
    });
  }

  async read(owner: ReferenceOwner, reference: SecretReference): Promise<ReadSecret> {
    this.assertMayRead(owner, reference);
    const [mount = '', ...path] = reference.path.split('/');
    const entry = await this.connected().read(mount, path.join('/'), reference.version);
    const value = entry === null ? undefined : entry.data[reference.key];
    if (entry === null || value === undefined || value === null) {
      const what = entry === null ? `There is no ${reference.path}` : `${reference.path} has no key "${reference.key}"`;
      const version = reference.version === undefined ? '' : ` in version ${reference.version}`;
      throw new DomainError('invalid', 'SECRET_REFERENCE_UNKNOWN', `${what}${version} in the vault.`, {
        fix: `Write it: vault kv put ${reference.path} ${reference.key}=…, or correct the reference.`,
      });
    }
    return { value: typeof value === 'string' ? value : JSON.stringify(value), version: entry.version };
  }

  private connected(): VaultClient {
    if (this.client) return this.client;
    throw new DomainError('invalid', 'SECRET_PROVIDER_MISSING', 'This installation is not connected to a vault.', {
      fix: 'Set the secret here, or ask the operator to set HITHE_VAULT_ADDR.',
    });
  }
}
