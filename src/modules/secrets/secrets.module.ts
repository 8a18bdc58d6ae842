import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { PlatformKey } from './platform-key.js';
import { Secret } from './secret.entity.js';
import { SecretsService } from './secrets.service.js';

/** Encrypted values of components. */
@Module({ imports: [TypeOrmModule.forFeature([Secret])], providers: [PlatformKey, SecretsService], exports: [SecretsService] })
export class SecretsModule {}
