import { Injectable, Logger } from '@nestjs/common';
import { DomainError } from '../../common/domain-error.js';
import { Config } from '../../config/config.js';
import { HandleJob, defineJob } from '../../queue/job.js';
import { AuditArchives } from './audit-archives.js';

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Once a night: archives what is older than HITHE_AUDIT_RETENTION_DAYS. */
export const archiveOldEvents = defineJob<Record<string, never>>('audit.archive', { schedule: '37 3 * * *', expireIn: 6 * 60 * 60 });

/** Retention: events leave the database by whole, signed segments, and only when the operator wants that. */
@Injectable()
export class AuditJobs {
  private readonly logger = new Logger('Audit');

  constructor(
    private readonly config: Config,
    private readonly archives: AuditArchives,
  ) {}

  @HandleJob(archiveOldEvents)
  async archive(): Promise<void> {
    const days = this.config.auditRetentionDays;
    if (days === undefined) return;
    try {
      const { firstSeq, lastSeq, file } = await this.archives.archive(new Date(Date.now() - days * DAY_MS));
      this.logger.log(`Audit events ${firstSeq} to ${lastSeq} moved to ${file}`);
    } catch (error) {
      if (!(error instanceof DomainError && error.code === 'NOTHING_TO_ARCHIVE')) throw error;
    }
  }
}
