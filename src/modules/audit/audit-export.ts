import { Injectable, Logger } from '@nestjs/common';
import type { Response } from 'express';
import type { Actor } from '../../auth/actor.js';
import { stackOf } from '../../common/thrown.js';
import { AuditEventsService, type ExportedRecord } from './audit-events.service.js';
import { AuditLog } from './audit-log.js';
import { jsonLineOf } from './domain/audit-record.js';
import { CSV_HEADER, csvLineOf } from './domain/csv.js';
import type { AuditExportQuery, ExportFormat } from './dto/audit-event.dto.js';

const CHUNK_CHARACTERS = 64 * 1024;
const TYPES: Readonly<Record<ExportFormat, string>> = {
  jsonl: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
};

/** Sends events as a file of any length; never faster than it is read, and never all of it at once. */
@Injectable()
export class AuditExport {
  private readonly logger = new Logger('Audit');

  constructor(
    private readonly events: AuditEventsService,
    private readonly audit: AuditLog,
  ) {}

  /** The export is recorded first: without that, nothing leaves. */
  async send(actor: Actor, query: AuditExportQuery, response: Response): Promise<void> {
    const { format, chain, ...filter } = query;
    await this.events.assertMay(actor, 'export', filter);
    const records = this.events.export(actor, filter, format === 'jsonl' && chain === 'true');
    await this.audit.recordNow({
      action: 'audit.exported',
      teamId: filter.teamId ?? null,
      subject: { type: 'audit-log', id: format },
      details: { format, chain: chain === 'true', filter },
    });
    response.status(200).setHeader('Content-Type', TYPES[format]);
    response.setHeader('Content-Disposition', `attachment; filename="audit.${format}"`);
    response.setHeader('Cache-Control', 'no-store');
    try {
      await write(linesOf(records, format), response);
      response.end();
    } catch (error) {
      // Cutting it tells the client that it is incomplete.
      if (!response.destroyed) this.logger.error('An export was cut', stackOf(error));
      response.destroy();
    }
  }
}

async function* linesOf(records: AsyncIterable<ExportedRecord>, format: ExportFormat): AsyncGenerator<string> {
  if (format === 'csv') yield CSV_HEADER;
  for await (const record of records) {
    if (!('id' in record)) yield JSON.stringify(record);
    else yield format === 'csv' ? csvLineOf(record) : jsonLineOf(record);
  }
}

/** A loop rather than a pipe: the context of the request has to hold for each batch that is read. */
async function write(lines: AsyncIterable<string>, response: Response): Promise<void> {
  let chunk = '';
  const flush = async (): Promise<void> => {
    const text = chunk;
    chunk = '';
    if (response.destroyed) throw new Error('The client has gone');
    if (!response.write(text)) await drained(response);
  };
  for await (const line of lines) {
    chunk += `${line}\n`;
    if (chunk.length >= CHUNK_CHARACTERS) await flush();
  }
  if (chunk !== '') await flush();
}

function drained(response: Response): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}
