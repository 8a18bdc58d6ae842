import { Bell } from '../../../common/bell.js';
import { messageOf } from '../../../common/thrown.js';
import type { AuditReader } from '../audit-reader.js';
import type { AuditSigner } from '../audit-signer.js';
import { type AuditSink, BatchBeforeInDoubt, type StreamItem } from './sink.js';
import type { LeasedStream, StreamStates } from './stream-states.js';

const BATCH = 200;
const SEND_TIMEOUT_MS = 20_000;
const POLL_MS = 5_000;
const FIRST_BACKOFF_MS = 250;
const LONGEST_BACKOFF_MS = 60_000;

/** What a pump needs of its surroundings. */
export interface PumpParts {
  states: StreamStates;
  reader: AuditReader;
  signer: AuditSigner;
  /** Seconds between signed heads. */
  headInterval: number;
  /** Told once when the stream begins to fail, and once when it delivers again. */
  onChange(change: { error?: string }): Promise<void>;
  /** Told when the pump itself cannot work, e.g. without a database. */
  onTrouble(error: unknown): void;
}

/** How long to wait before the next look, and whether new events end the wait. */
interface Rest {
  milliseconds: number;
  wakeable: boolean;
}

/**
 * Delivers one stream: in order, at least once, from where it had come to when the process, or another one, ended. What cannot be
 * delivered waits in the log; trying again takes ever longer, up to a minute.
 */
export class StreamPump {
  private readonly bell = new Bell();
  private readonly stopping = new AbortController();
  private endRest = (): void => undefined;
  /** Where the batch before the last one had ended. */
  private before: number | undefined;

  constructor(
    private readonly name: string,
    private readonly holder: string,
    private readonly sink: AuditSink,
    private readonly parts: PumpParts,
  ) {}

  /** There may be something to deliver. */
  wake(): void {
    this.bell.ring();
  }

  /** Delivers until `stop`. Never rejects. */
  async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      this.bell.reset();
      const rest = await this.step().catch((error: unknown): Rest => {
        this.parts.onTrouble(error);
        return { milliseconds: POLL_MS, wakeable: false };
      });
      if (rest !== undefined) await this.rest(rest);
    }
    this.sink.close();
    await this.parts.states.release(this.name, this.holder).catch((error: unknown) => {
      this.parts.onTrouble(error);
    });
  }

  stop(): void {
    this.stopping.abort();
    this.endRest();
  }

  /** Delivers a batch; undefined when there may be another one at once. */
  private async step(): Promise<Rest | undefined> {
    const { states, headInterval } = this.parts;
    const leased = await states.lease(this.name, this.holder, headInterval);
    if (leased === undefined) return { milliseconds: POLL_MS, wakeable: false };
    const items = await this.next(leased);
    if (items.length === 0) return { milliseconds: Math.min(POLL_MS, headInterval * 1_000), wakeable: true };
    try {
      await this.sink.send(items, AbortSignal.any([this.stopping.signal, AbortSignal.timeout(SEND_TIMEOUT_MS)]));
    } catch (error) {
      return this.failed(leased, error);
    }
    const cursor = items.findLast(({ event }) => event !== undefined)?.event?.seq ?? leased.cursor;
    await states.delivered(this.name, this.holder, cursor, items.at(-1)?.head?.seq);
    this.before = leased.cursor;
    if (leased.attempts > 0) await this.parts.onChange({});
    return undefined;
  }

  /** The events that come next, and behind them the signed head when it is due. */
  private async next(leased: LeasedStream): Promise<StreamItem[]> {
    const records = await this.parts.reader.after(leased.cursor, BATCH);
    const items: StreamItem[] = records.map((event) => ({ event }));
    const seq = records.at(-1)?.seq ?? leased.cursor;
    if (records.length === BATCH || !leased.headDue || seq <= leased.headSeq) return items;
    const hash = records.at(-1)?.hash ?? (await this.parts.reader.hashesOf([seq])).get(seq);
    if (hash === undefined) return items;
    const { installation } = await this.parts.reader.head();
    return [...items, { head: await this.parts.signer.head({ installation, seq, hash, at: new Date().toISOString() }) }];
  }

  private async failed(leased: LeasedStream, error: unknown): Promise<Rest | undefined> {
    if (this.stopping.signal.aborted) return undefined;
    if (error instanceof BatchBeforeInDoubt) {
      await this.parts.states.rewind(this.name, this.holder, this.before ?? leased.cursor);
      return undefined;
    }
    await this.parts.states.failed(this.name, this.holder, messageOf(error));
    if (leased.attempts === 0) await this.parts.onChange({ error: messageOf(error) });
    const backoff = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** leased.attempts);
    return { milliseconds: backoff * (0.75 + Math.random() / 2), wakeable: false };
  }

  private async rest({ milliseconds, wakeable }: Rest): Promise<void> {
    if (this.stopping.signal.aborted) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds);
      this.endRest = resolve;
      if (wakeable) void this.bell.rung().then(resolve);
    });
    clearTimeout(timer);
  }
}
