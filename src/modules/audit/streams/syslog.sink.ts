import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type Socket, connect as connectTcp, isIP } from 'node:net';
import { hostname } from 'node:os';
import { connect as connectTls } from 'node:tls';
import { type AuditSink, BatchBeforeInDoubt, type StreamItem } from './sink.js';
import { syslogMessage } from './syslog-message.js';

/** The largest datagram that IPv4 carries, less some room. */
const LARGEST_DATAGRAM = 60_000;

/** Syslog over UDP (RFC 5426): a datagram for each item. Nobody says whether it arrives. */
export class UdpSyslogSink implements AuditSink {
  constructor(private readonly url: URL) {}

  async send(items: readonly StreamItem[]): Promise<void> {
    const host = hostOf(this.url);
    const socket = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4');
    try {
      socket.connect(Number(this.url.port), host);
      await once(socket, 'connect');
      const origin = { hostname: hostname(), pid: process.pid, mostBytes: LARGEST_DATAGRAM };
      for (const item of items) {
        await new Promise<void>((resolve, reject) => {
          socket.send(syslogMessage(item, origin), (error) => {
            if (error) reject(error);
            else resolve();
          });
        });
      }
    } finally {
      socket.close();
    }
  }

  close(): void {
    // Each batch has a socket of its own.
  }
}

/** Syslog over TCP (RFC 6587) or TLS (RFC 5425), each message behind its length. One connection is kept. */
export class TcpSyslogSink implements AuditSink {
  private socket: Socket | undefined;
  /** Whether a batch was written to a connection that has ended since. */
  private inDoubt = false;

  constructor(private readonly url: URL) {}

  async send(items: readonly StreamItem[], signal: AbortSignal): Promise<void> {
    if (this.inDoubt) {
      this.inDoubt = false;
      throw new BatchBeforeInDoubt('The syslog server closed the connection');
    }
    const socket = (this.socket ??= await this.connect(signal));
    const origin = { hostname: hostname(), pid: process.pid, mostBytes: Number.MAX_SAFE_INTEGER };
    const frames = items.map((item) => {
      const message = syslogMessage(item, origin);
      return `${Buffer.byteLength(message)} ${message}`;
    });
    await writeAll(socket, frames.join(''), signal);
    socket.off('close', this.doubt).once('close', this.doubt);
  }

  close(): void {
    this.socket?.off('close', this.doubt);
    this.socket?.destroy();
    this.socket = undefined;
  }

  private readonly doubt = (): void => {
    this.inDoubt = true;
  };

  private async connect(signal: AbortSignal): Promise<Socket> {
    const target = { host: hostOf(this.url), port: Number(this.url.port) };
    const secure = this.url.protocol === 'syslog+tls:';
    const socket = secure ? connectTls({ ...target, ...(isIP(target.host) === 0 ? { servername: target.host } : {}) }) : connectTcp(target);
    const forget = (): void => {
      if (this.socket === socket) this.socket = undefined;
    };
    socket.once('close', forget);
    // What the server says is of no interest, but its end is.
    socket.resume();
    try {
      await once(socket, secure ? 'secureConnect' : 'connect', { signal });
    } catch (error) {
      socket.on('error', () => undefined).destroy();
      throw error;
    }
    socket.on('error', () => undefined);
    socket.on('end', () => socket.destroy());
    return socket;
  }
}

async function writeAll(socket: Socket, text: string, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => {
      socket.destroy();
      reject(new Error('The syslog server does not take what is sent'));
    };
    signal.addEventListener('abort', abort, { once: true });
    socket.write(text, (error) => {
      signal.removeEventListener('abort', abort);
      if (error) reject(error);
      else resolve();
    });
  });
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}
