import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ComponentStorage, UsageDay, UsageStream } from './usage.entities.js';

/** What teams have used. */
@Module({ imports: [TypeOrmModule.forFeature([UsageDay, UsageStream, ComponentStorage])] })
export class UsageModule {}
