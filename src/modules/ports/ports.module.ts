import { Module } from '@nestjs/common';
import { PortsController } from './ports.controller.js';
import { PortsService } from './ports.service.js';

/** The catalogue. */
@Module({ controllers: [PortsController], providers: [PortsService], exports: [PortsService] })
export class PortsModule {}
