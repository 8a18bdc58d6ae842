import { Module } from '@nestjs/common';
import { AuditHealth } from '../health/audit-health.js';
import { TeamsModule } from '../teams/teams.module.js';
import { AuditArchives } from './audit-archives.js';
import { AuditController } from './audit.controller.js';
import { AuditEventsService } from './audit-events.service.js';
import { AuditExport } from './audit-export.js';
import { AuditHeads } from './audit-heads.js';
import { AuditJobs } from './audit.jobs.js';
import { AuditLogHealth } from './audit-health.service.js';
import { AuditProofs } from './audit-proofs.js';
import { AuditProofsController } from './audit-proofs.controller.js';
import { AuditSigner } from './audit-signer.js';
import { AuditVerifier } from './audit-verifier.js';
import { AuditStreams } from './streams/audit-streams.js';
import { StreamStates } from './streams/stream-states.js';

/** Reads, proves, streams and archives the audit log. Who writes it needs `AuditLogModule` only. */
@Module({
  imports: [TeamsModule],
  controllers: [AuditController, AuditProofsController],
  providers: [
    AuditArchives,
    AuditEventsService,
    AuditExport,
    AuditHeads,
    AuditJobs,
    AuditProofs,
    AuditSigner,
    AuditStreams,
    AuditVerifier,
    StreamStates,
    { provide: AuditHealth, useClass: AuditLogHealth },
  ],
})
export class AuditModule {}
