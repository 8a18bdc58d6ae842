import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { Injectable } from '@nestjs/common';
import { DomainError } from '../../common/domain-error.js';
import { newId } from '../../common/ids.js';
import { asSystem } from '../../common/request-context.js';
import { Config } from '../../config/config.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import { AuditLog } from './audit-log.js';
import { type ArchivedSegment, AuditReader } from './audit-reader.js';
import { AuditSigner } from './audit-signer.js';
import { AuditStreams } from './streams/audit-streams.js';
import { GENESIS_HASH, jsonLineOf, recordOfJsonLine } from './domain/audit-record.js';
import { ChainCheck, type ChainPlace, Problems } from './domain/chain-check.js';
import type { SegmentManifest } from './domain/signed-statement.js';

const BATCH = 2_000;

/**
 * Moves the oldest events out of the database, into a signed file. The file is written, read back and proven before a row is removed,
 * and the ends of the segment stay in the database, so that the chain can be followed across.
 */
@Injectable()
export class AuditArchives {
  constructor(
    private readonly config: Config,
    private readonly reader: AuditReader,
    private readonly signer: AuditSigner,
    private readonly streams: AuditStreams,
    private readonly transactions: TransactionRunner,
    private readonly audit: AuditLog,
  ) {}

  list(): Promise<ArchivedSegment[]> {
    return this.reader.segments();
  }

  /** Archives every event before `before` that each stream has had. Throws `NOTHING_TO_ARCHIVE`. */
  async archive(before: Date): Promise<ArchivedSegment> {
    const { start, last } = await asSystem('audit', () => this.extent(before));
    if (last <= start.seq) {
      throw new DomainError('conflict', 'NOTHING_TO_ARCHIVE', `There is no event before ${before.toISOString()} that can be archived.`, {
        fix: 'Choose a later date. Events that a stream has not had yet stay.',
      });
    }
    const { end, file, digest } = await asSystem('audit', () => this.write(start, last));
    try {
      await this.prove(file, digest, start, end);
      await this.sign(file, digest, start, end);
      await this.remove(file, digest, start, end);
    } catch (error) {
      await this.discard(file);
      throw error;
    }
    const segment = (await this.reader.segments()).find(({ firstSeq }) => firstSeq === start.seq + 1);
    if (segment === undefined) throw new TypeError(`The archived segment from ${start.seq + 1} is gone`);
    return segment;
  }

  private async extent(before: Date): Promise<{ start: ChainPlace; last: number }> {
    const former = (await this.reader.segments()).at(-1);
    const start = former === undefined ? { seq: 0, hash: GENESIS_HASH } : { seq: former.lastSeq, hash: former.lastHash };
    return { start, last: Math.min(await this.reader.lastBefore(before), await this.streams.slowest()) };
  }

  /** Writes the events after `start` up to `last`; refuses to archive a chain that does not hold. */
  private async write(start: ChainPlace, last: number): Promise<{ end: ChainPlace; file: string; digest: string }> {
    const { archive } = this.config.paths.control.audit;
    await mkdir(archive, { recursive: true, mode: 0o700 });
    const file = `audit-${padded(start.seq + 1)}-${padded(last)}.jsonl.gz`;
    const aside = join(archive, `${file}.${newId()}`);
    const hash = createHash('sha256');
    const problems = new Problems();
    const chain = new ChainCheck(start, problems);
    const digesting = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        done(null, chunk);
      },
    });
    try {
      await pipeline(this.linesOf(chain, last), createGzip(), digesting, createWriteStream(aside, { mode: 0o600, flush: true }));
      if (problems.count > 0 || chain.place.seq !== last) throw broken(problems);
      await rename(aside, join(archive, file));
    } catch (error) {
      await rm(aside, { force: true });
      throw error;
    }
    return { end: chain.place, file, digest: hash.digest('hex') };
  }

  private async *linesOf(chain: ChainCheck, last: number): AsyncGenerator<string> {
    for (;;) {
      const records = await asSystem('audit', () => this.reader.after(chain.place.seq, BATCH, last));
      for (const record of records) {
        chain.add(record);
        yield `${jsonLineOf(record)}\n`;
      }
      if (records.length < BATCH) return;
    }
  }

  /** Reads the file from the disk again: its bytes, and each event in it. */
  private async prove(file: string, digest: string, start: ChainPlace, end: ChainPlace): Promise<void> {
    const hash = createHash('sha256');
    const source = createReadStream(join(this.config.paths.control.audit.archive, file));
    source.on('data', (chunk) => hash.update(chunk));
    const problems = new Problems();
    const chain = new ChainCheck(start, problems);
    const gunzip = createGunzip();
    const unpacked = pipeline(source, gunzip);
    for await (const line of createInterface({ input: gunzip, crlfDelay: Infinity })) chain.add(recordOfJsonLine(line));
    await unpacked;
    chain.end(end);
    if (problems.count > 0 || hash.digest('hex') !== digest) throw broken(problems);
  }

  private async sign(file: string, digest: string, start: ChainPlace, end: ChainPlace): Promise<void> {
    const { archive } = this.config.paths.control.audit;
    const { installation } = await this.reader.head();
    const manifest: SegmentManifest = await this.signer.segment({
      installation,
      file,
      firstSeq: start.seq + 1,
      lastSeq: end.seq,
      previousHash: start.hash,
      lastHash: end.hash,
      fileSha256: digest,
      at: new Date().toISOString(),
    });
    await writeFile(join(archive, `${file}.manifest.json`), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600, flush: true });
    // The names of both files must be on the disk before the rows are gone.
    const directory = await open(archive, 'r');
    await directory.sync().finally(() => directory.close());
  }

  /** The file of an archive that did not come about: its events are all in the database still. */
  private async discard(file: string): Promise<void> {
    if ((await this.reader.segments()).some((segment) => segment.file === file)) return;
    const path = join(this.config.paths.control.audit.archive, file);
    await rm(path, { force: true });
    await rm(`${path}.manifest.json`, { force: true });
  }

  private async remove(file: string, digest: string, start: ChainPlace, end: ChainPlace): Promise<void> {
    const hex = (text: string): Buffer => Buffer.from(text, 'hex');
    await this.transactions.run(async (tx) => {
      const parameters = [start.seq + 1, end.seq, hex(start.hash), hex(end.hash), file, hex(digest)];
      await asSystem('audit', () => tx.query('SELECT audit_archive($1, $2, $3, $4, $5, $6)', parameters));
      await this.audit.record(tx, {
        action: 'audit.archived',
        subject: { type: 'audit-segment', id: file },
        details: { firstSeq: start.seq + 1, lastSeq: end.seq, lastHash: end.hash, fileSha256: digest },
      });
    });
  }
}

function padded(seq: number): string {
  return String(seq).padStart(12, '0');
}

function broken(problems: Problems): DomainError {
  const [first] = problems.found;
  return new DomainError(
    'conflict',
    'AUDIT_CHAIN_BROKEN',
    `The audit log cannot be archived: ${first?.message ?? 'its file is not whole.'}`,
    {
      fix: "Run 'hithe audit verify' first; a log that does not hold stays where it is.",
    },
  );
}
