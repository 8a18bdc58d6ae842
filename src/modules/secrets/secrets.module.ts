import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { BuiltInProvider } from './providers/built-in.provider.js';
import { SecretReferences } from './providers/secret-references.js';
import { VaultProvider } from './providers/vault.provider.js';
import { Secret, Variable } from './secret.entity.js';
import { SecretValues } from './secret-values.js';
import { SecretsService } from './secrets.service.js';
import { VariablesStore } from './variables.store.js';

/** Encrypted values of projects and components, and the keepers of others. */
@Module({
  imports: [TypeOrmModule.forFeature([Secret, Variable])],
  providers: [SecretsService, VariablesStore, SecretValues, BuiltInProvider, VaultProvider, SecretReferences],
  exports: [SecretsService, VariablesStore, SecretValues, SecretReferences],
})
export class SecretsModule {}
