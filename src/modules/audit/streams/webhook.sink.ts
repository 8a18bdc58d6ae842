import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { DomainError } from '../../../common/domain-error.js';
import type { TargetGuard } from '../../../common/target-guard.js';
import { type AuditSink, type StreamItem, lineOf } from './sink.js';

/**
 * Batches by HTTPS POST, signed as standardwebhooks.com says: `{"events": […], "heads": […]}`. Redirects are not followed; plain HTTP is for
 * addresses in networks that the operator allowed. A batch that is sent again has the same `webhook-id`.
 */
export class WebhookSink implements AuditSink {
  constructor(
    private readonly url: URL,
    private readonly name: string,
    private readonly secret: string,
    private readonly guard: TargetGuard,
  ) {}

  async send(items: readonly StreamItem[], signal: AbortSignal): Promise<void> {
    this.assertTarget();
    const events = items.filter((item) => item.event !== undefined);
    const heads = items.flatMap(({ head }) => (head === undefined ? [] : [head]));
    const body = `{"events":[${events.map(lineOf).join(',')}],"heads":${JSON.stringify(heads)}}`;
    const id = `${this.name}-${events[0]?.event.seq ?? 'head'}-${events.at(-1)?.event.seq ?? heads[0]?.seq ?? ''}`;
    const now = new Date();
    const headers = {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'user-agent': 'hithe-audit',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
      'webhook-signature': new Webhook(this.secret).sign(id, now, body),
    };
    const status = await this.post(body, headers, signal);
    if (status < 200 || status > 299) throw new Error(`The webhook answered ${status}`);
  }

  close(): void {
    // Each batch has a connection of its own.
  }

  private assertTarget(): void {
    this.guard.assertHost(this.url.hostname);
    const host = this.url.hostname.replace(/^\[|\]$/g, '');
    if (this.url.protocol === 'https:' || (isIP(host) !== 0 && this.guard.isAllowedPrivate(host))) return;
    throw new DomainError('invalid', 'TARGET_REFUSED', `${this.url.origin} is not HTTPS.`, {
      fix: 'Use https://, or an address in one of the networks of HITHE_PRIVATE_TARGETS.',
    });
  }

  private post(body: string, headers: Record<string, string>, signal: AbortSignal): Promise<number> {
    const send = this.url.protocol === 'https:' ? requestHttps : requestHttp;
    return new Promise((resolve, reject) => {
      const request = send(
        this.url,
        { method: 'POST', headers, signal, lookup: this.guard.lookup, agent: false },
        (response: IncomingMessage) => {
          response.on('error', reject);
          // Only the status counts; whatever else comes is not kept.
          response.resume();
          resolve(response.statusCode ?? 0);
        },
      );
      request.on('error', reject);
      request.end(body);
    });
  }
}
