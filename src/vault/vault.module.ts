import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Envelopes } from './envelopes.js';
import { KeyWrapper } from './key-wrapper.js';
import { NamedKey } from './named-key.entity.js';
import { NamedKeys } from './named-keys.js';
import { PlatformKeys } from './platform-keys.js';

/** Seals what the database keeps under the platform key. */
@Global()
@Module({
  imports: [TypeOrmModule.forFeature([NamedKey])],
  providers: [PlatformKeys, { provide: KeyWrapper, useExisting: PlatformKeys }, Envelopes, NamedKeys],
  exports: [Envelopes, NamedKeys, PlatformKeys, KeyWrapper],
})
export class VaultModule {}
