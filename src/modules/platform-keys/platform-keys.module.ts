import { Module } from '@nestjs/common';
import { SecretsModule } from '../secrets/secrets.module.js';
import { PlatformKeysController } from './platform-keys.controller.js';
import { PlatformKeysService } from './platform-keys.service.js';
import { SealedRows } from './sealed-rows.js';

/** Rotation of the key that wraps every secret. */
@Module({ imports: [SecretsModule], controllers: [PlatformKeysController], providers: [PlatformKeysService, SealedRows] })
export class PlatformKeysModule {}
