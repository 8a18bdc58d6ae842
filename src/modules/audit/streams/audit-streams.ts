import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { newId } from '../../../common/ids.js';
import { asSystem } from '../../../common/request-context.js';
import { messageOf, stackOf } from '../../../common/thrown.js';
import { Config } from '../../../config/config.js';
import { Notifications } from '../../../database/notifications.js';
import { AuditLog } from '../audit-log.js';
import { AuditReader } from '../audit-reader.js';
import { AuditSigner } from '../audit-signer.js';
import { auditAppended } from '../audit.channels.js';
import { type ConfiguredStream, configuredStreams, sinkOf } from './configured-stream.js';
import { StreamPump } from './stream-pump.js';
import { type FailingStream, StreamStates } from './stream-states.js';

/** Sends events to where the operator wants them (HITHE_AUDIT_STREAMS). One that fails is seen in the log and in `/health`, and blocks nothing. */
@Injectable()
export class AuditStreams implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Audit');
  private readonly holder = newId();
  private readonly streams: ConfiguredStream[];
  private readonly pumps: { pump: StreamPump; done: Promise<void> }[] = [];
  private readonly offs: (() => void)[] = [];

  constructor(
    private readonly config: Config,
    private readonly notifications: Notifications,
    private readonly states: StreamStates,
    private readonly reader: AuditReader,
    private readonly signer: AuditSigner,
    private readonly audit: AuditLog,
  ) {
    this.streams = configuredStreams(config);
  }

  async onApplicationBootstrap(): Promise<void> {
    if (!this.config.has('worker') || this.streams.length === 0) return;
    await this.states.ensure(this.names);
    for (const stream of this.streams) await this.start(stream);
    const wake = (): void => {
      for (const { pump } of this.pumps) pump.wake();
    };
    this.offs.push(await this.notifications.on(auditAppended, wake), this.notifications.onReconnect(wake));
  }

  async beforeApplicationShutdown(): Promise<void> {
    for (const off of this.offs) off();
    for (const { pump } of this.pumps) pump.stop();
    await Promise.all(this.pumps.map(({ done }) => done));
  }

  get names(): string[] {
    return this.streams.map(({ name }) => name);
  }

  failing(): Promise<FailingStream[]> {
    return this.states.failing(this.names);
  }

  /** The last event that every configured stream has had. */
  slowest(): Promise<number> {
    return this.states.slowest(this.names);
  }

  private async start(stream: ConfiguredStream): Promise<void> {
    const pump = new StreamPump(stream.name, this.holder, await sinkOf(stream, this.config), {
      states: this.states,
      reader: this.reader,
      signer: this.signer,
      headInterval: this.config.auditHeadInterval,
      onChange: (change) => this.note(stream.name, change.error),
      onTrouble: (error) => {
        this.logger.error(`The audit stream "${stream.name}" cannot be served`, stackOf(error));
      },
    });
    this.pumps.push({ pump, done: asSystem('audit', () => pump.run()) });
  }

  private async note(name: string, error: string | undefined): Promise<void> {
    if (error === undefined) this.logger.log(`The audit stream "${name}" delivers again`);
    else this.logger.error(`The audit stream "${name}" cannot deliver: ${error}`);
    const entry =
      error === undefined
        ? { action: 'audit.stream-recovered' }
        : { action: 'audit.stream-failed', outcome: 'failed' as const, details: { error } };
    await this.audit.recordNow({ ...entry, subject: { type: 'audit-stream', id: name } }).catch((thrown: unknown) => {
      this.logger.error(messageOf(thrown), stackOf(thrown));
    });
  }
}
