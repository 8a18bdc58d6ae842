import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type AuditSink, type StreamItem, lineOf } from './sink.js';

/** A file of JSON lines. It is opened anew for each batch, so that it can be rotated away at any moment, and is on the disk when `send` resolves. */
export class FileSink implements AuditSink {
  private readonly path: string;

  constructor(url: URL) {
    this.path = fileURLToPath(url);
  }

  async send(items: readonly StreamItem[]): Promise<void> {
    const file = await open(this.path, 'a', 0o600);
    try {
      await file.appendFile(items.map((item) => `${lineOf(item)}\n`).join(''));
      await file.sync();
    } finally {
      await file.close();
    }
  }

  close(): void {
    // Nothing stays open.
  }
}
