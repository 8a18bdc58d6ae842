import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DeniedAttempts } from '../../http/denied-attempts.js';
import { AuditEvent, AuditHead, AuditSegment, AuditStreamState } from './audit-event.entity.js';
import { AuditLog } from './audit-log.js';
import { AuditReader } from './audit-reader.js';
import { AuditedDenials } from './denied-attempts.service.js';

/** Lets every module record what it does: inject `AuditLog`. Hears of refused requests. */
@Global()
@Module({
  imports: [TypeOrmModule.forFeature([AuditEvent, AuditHead, AuditSegment, AuditStreamState])],
  providers: [AuditLog, AuditReader, { provide: DeniedAttempts, useClass: AuditedDenials }],
  exports: [AuditLog, AuditReader, DeniedAttempts],
})
export class AuditLogModule {}
