import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Client } from 'pg';
import { asSystem } from '../common/request-context.js';
import { messageOf, stackOf } from '../common/thrown.js';
import type { Transaction } from '../common/transaction.js';
import { Config } from '../config/config.js';

/** A PostgreSQL notification channel and the shape of what travels on it. Declare one with `defineChannel`. */
export interface Channel<T> {
  readonly name: string;
  /** Carries the type; never set. */
  readonly payload?: T;
}

/** Declares a channel; `name` is lower-case snake_case, in the past tense: `deployment_changed`. */
export function defineChannel<T>(name: string): Channel<T> {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(name)) throw new TypeError(`"${name}" is not a channel name`);
  return { name };
}

type Handler = (payload: unknown) => void | Promise<void>;

/** PostgreSQL refuses 8000 bytes and more. */
const MOST_BYTES = 7999;
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 5_000;

/**
 * Wakes listeners in every process of the control plane when a transaction commits. A notification is a nudge and can
 * be lost while the connection is away: listeners re-read their truth in `onReconnect`, and never rely on the payload alone.
 */
@Injectable()
export class Notifications implements OnApplicationShutdown {
  private readonly logger = new Logger(Notifications.name);
  private readonly handlers = new Map<string, Set<Handler>>();
  private readonly reconnectHandlers = new Set<() => void>();
  private client: Client | undefined;
  private connecting: Promise<Client> | undefined;
  private retry: NodeJS.Timeout | undefined;
  private failures = 0;
  private closed = false;

  constructor(private readonly config: Config) {}

  /** Sends `payload` to every listener once `tx` has committed; nothing when it rolls back. */
  async notify<T>(tx: Transaction, channel: Channel<T>, payload: T): Promise<void> {
    const text = JSON.stringify(payload);
    if (Buffer.byteLength(text) > MOST_BYTES) throw new RangeError(`The notification on ${channel.name} is too long; send an id instead`);
    await tx.query('SELECT pg_notify($1, $2)', [channel.name, text]);
  }

  /** Calls `handler` for each notification, once the promise has resolved. Returns how to stop. */
  async on<T>(channel: Channel<T>, handler: (payload: T) => void | Promise<void>): Promise<() => void> {
    const set = this.handlers.get(channel.name) ?? new Set<Handler>();
    const first = set.size === 0;
    set.add(handler as Handler);
    this.handlers.set(channel.name, set);
    if (first) await this.listen(channel.name);
    else await this.connect();
    return () => {
      set.delete(handler as Handler);
    };
  }

  /** Calls `handler` each time the connection came back: whatever was notified meanwhile is lost. */
  onReconnect(handler: () => void): () => void {
    this.reconnectHandlers.add(handler);
    return () => this.reconnectHandlers.delete(handler);
  }

  /** Whether the connection stands, or nobody listens. */
  get connected(): boolean {
    return this.client !== undefined || this.handlers.size === 0;
  }

  async onApplicationShutdown(): Promise<void> {
    this.closed = true;
    clearTimeout(this.retry);
    // A connection that is being opened would outlive this otherwise.
    await this.connecting?.catch(() => undefined);
    const client = this.client;
    this.client = undefined;
    client?.removeAllListeners();
    client?.on('error', () => undefined);
    await client?.end();
  }

  private async listen(channel: string): Promise<void> {
    const client = await this.connect();
    await client.query(`LISTEN ${channel}`);
  }

  private connect(): Promise<Client> {
    if (this.client) return Promise.resolve(this.client);
    this.connecting ??= this.open().finally(() => {
      this.connecting = undefined;
    });
    return this.connecting;
  }

  private async open(): Promise<Client> {
    const client = new Client({ connectionString: this.config.requireDatabaseUrl(), application_name: 'hithe-listen', keepAlive: true });
    client.on('error', (error) => {
      this.lost(client, error);
    });
    client.on('end', () => {
      this.lost(client, new Error('the connection ended'));
    });
    client.on('notification', (message) => {
      this.dispatch(message.channel, message.payload ?? 'null');
    });
    await client.connect();
    for (const channel of this.handlers.keys()) await client.query(`LISTEN ${channel}`);
    this.client = client;
    this.failures = 0;
    return client;
  }

  private lost(client: Client, error: Error): void {
    if (this.closed || this.client !== client) return;
    this.client = undefined;
    this.logger.warn(`Lost the notification connection (${error.message}); reconnecting`);
    this.scheduleReconnect();
  }

  private scheduleReconnect(): void {
    const wait = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.failures);
    this.failures += 1;
    this.retry = setTimeout(() => void this.reconnect(), wait);
  }

  private async reconnect(): Promise<void> {
    try {
      await this.connect();
    } catch (error) {
      this.logger.warn(`The notification connection does not come back yet: ${messageOf(error)}`);
      if (!this.closed) this.scheduleReconnect();
      return;
    }
    if (this.closed) return;
    this.logger.log('The notification connection is back');
    for (const handler of this.reconnectHandlers) asSystem('notifications', handler);
  }

  private dispatch(channel: string, text: string): void {
    const payload: unknown = JSON.parse(text);
    for (const handler of this.handlers.get(channel) ?? []) {
      Promise.resolve()
        .then(() => asSystem(channel, () => handler(payload)))
        .catch((error: unknown) => {
          this.logger.error(`A listener of ${channel} failed: ${messageOf(error)}`, stackOf(error));
        });
    }
  }
}
