import { Injectable, Logger } from '@nestjs/common';
import { stackOf } from '../../common/thrown.js';
import { AuditLog } from './audit-log.js';
import { AuditReader } from './audit-reader.js';
import { AuditSigner } from './audit-signer.js';
import { AuditVerifier, type Verification } from './audit-verifier.js';
import type { SignedHead } from './domain/signed-statement.js';

const PROBLEMS_IN_EVENT = 10;

/** Verifications that somebody asked for: each is itself an event. */
@Injectable()
export class AuditProofs {
  private readonly logger = new Logger('Audit');

  constructor(
    private readonly verifier: AuditVerifier,
    private readonly reader: AuditReader,
    private readonly signer: AuditSigner,
    private readonly audit: AuditLog,
  ) {}

  async keys(): Promise<{ installation: string; publicKeys: string }> {
    const { installation } = await this.reader.head();
    return { installation, publicKeys: await this.signer.publicPem() };
  }

  async verify(options: { heads?: readonly SignedHead[]; archives?: boolean }): Promise<Verification> {
    const found = await this.verifier.verify({ witnesses: options.heads ?? [], archives: options.archives ?? false });
    const { installation } = await this.reader.head();
    const { problems, ...figures } = found;
    await this.audit
      .recordNow({
        action: 'audit.verified',
        outcome: found.ok ? 'success' : 'failed',
        subject: { type: 'audit-log', id: installation },
        details: { ...figures, problems: problems.slice(0, PROBLEMS_IN_EVENT) },
      })
      // A log that cannot be written is when its proof is wanted most; nothing was changed.
      .catch((error: unknown) => {
        this.logger.error('A verification could not be recorded', stackOf(error));
      });
    return found;
  }
}
