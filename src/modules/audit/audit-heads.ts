import { createReadStream } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { asSystem } from '../../common/request-context.js';
import { codeOf, stackOf } from '../../common/thrown.js';
import { Config } from '../../config/config.js';
import { AuditReader } from './audit-reader.js';
import { AuditSigner } from './audit-signer.js';
import type { SignedHead } from './domain/signed-statement.js';

/** One line of heads.jsonl: a head, or what else stands there. */
export type HeadLine = { line: number; head: SignedHead } | { line: number; head?: undefined };

/**
 * Publishes the head of the chain outside of the database: signed, at an interval, when it has moved. Whoever rewrites the database,
 * its superuser too, cannot take back what stands there.
 */
@Injectable()
export class AuditHeads implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Audit');
  private timer: NodeJS.Timeout | undefined;
  private publishing: Promise<SignedHead | undefined> = Promise.resolve(undefined);
  private last: SignedHead | undefined;
  /** What is wrong with the log, as far as its head shows; undefined: nothing. */
  alarm: string | undefined;

  constructor(
    private readonly config: Config,
    private readonly reader: AuditReader,
    private readonly signer: AuditSigner,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (!this.config.has('worker')) return;
    this.timer = setInterval(() => void this.publishQuietly(), this.config.auditHeadInterval * 1_000).unref();
    await this.publishQuietly();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    if (this.timer !== undefined) await this.publishQuietly();
  }

  /** Signs and writes the present head, one at a time; undefined when it has not moved. */
  publish(): Promise<SignedHead | undefined> {
    this.publishing = this.publishing.catch(() => undefined).then(() => asSystem('audit', () => this.publishNow()));
    return this.publishing;
  }

  /** Every line of the file, in its order, without holding the whole of it. */
  async *lines(): AsyncGenerator<HeadLine> {
    const stream = createReadStream(this.config.paths.control.audit.heads, 'utf8');
    let line = 0;
    try {
      for await (const text of createInterface({ input: stream, crlfDelay: Infinity })) {
        line += 1;
        const head = headOf(text);
        yield head === undefined ? { line } : { line, head };
      }
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    } finally {
      stream.destroy();
    }
  }

  private async publishNow(): Promise<SignedHead | undefined> {
    this.last ??= await this.lastWritten();
    const { installation, seq, hash } = await this.reader.head();
    if (seq === 0 || (seq === this.last?.seq && hash === this.last.hash)) return undefined;
    if (this.last !== undefined && !(await this.holds(this.last, seq))) return undefined;
    const head = await this.signer.head({ installation, seq, hash, at: new Date().toISOString() });
    await this.append(`${JSON.stringify(head)}\n`);
    this.last = head;
    return head;
  }

  /** Whether the log still has the event that was signed last. One that does not gets no new signature, which would cover that up. */
  private async holds(last: SignedHead, seq: number): Promise<boolean> {
    const present = (await this.reader.hashesOf([last.seq])).get(last.seq);
    const archived = (await this.reader.segments()).at(-1)?.lastSeq ?? 0;
    const whole = present === last.hash || (present === undefined && last.seq <= archived);
    const alarm = `The audit log ends with event ${seq}, and event ${last.seq} is not what was signed at ${last.at}: it was cut or replaced.`;
    if (!whole && this.alarm === undefined) this.logger.error(`${alarm} Run: hithe audit verify`);
    this.alarm = whole ? undefined : alarm;
    return whole;
  }

  private async lastWritten(): Promise<SignedHead | undefined> {
    let last: SignedHead | undefined;
    for await (const { head } of this.lines()) last = head ?? last;
    return last;
  }

  private async append(text: string): Promise<void> {
    const { root, heads } = this.config.paths.control.audit;
    await mkdir(root, { recursive: true, mode: 0o700 });
    const file = await open(heads, 'a', 0o644);
    try {
      await file.appendFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  private async publishQuietly(): Promise<void> {
    await this.publish().catch((error: unknown) => {
      this.logger.error('The head of the audit log could not be published', stackOf(error));
    });
  }
}

function headOf(text: string): SignedHead | undefined {
  try {
    const value = JSON.parse(text) as Partial<SignedHead> | null;
    const complete = value !== null && typeof value === 'object' && Number.isSafeInteger(value.seq);
    return complete && typeof value.hash === 'string' && typeof value.signature === 'string' ? (value as SignedHead) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
