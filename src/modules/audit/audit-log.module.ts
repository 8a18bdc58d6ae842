import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditEvent, AuditHead, AuditSegment, AuditStreamState } from './audit-event.entity.js';
import { AuditLog } from './audit-log.js';

/** Lets every module record what it does: inject `AuditLog`. */
@Global()
@Module({
  imports: [TypeOrmModule.forFeature([AuditEvent, AuditHead, AuditSegment, AuditStreamState])],
  providers: [AuditLog],
  exports: [AuditLog],
})
export class AuditLogModule {}
