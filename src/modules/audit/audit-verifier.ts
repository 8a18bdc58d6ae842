import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { asSystem } from '../../common/request-context.js';
import { messageOf } from '../../common/thrown.js';
import { Config } from '../../config/config.js';
import { AuditHeads, type HeadLine } from './audit-heads.js';
import { type ArchivedSegment, AuditReader } from './audit-reader.js';
import { AuditSigner } from './audit-signer.js';
import { GENESIS_HASH } from './domain/audit-record.js';
import { ChainCheck, type ChainPlace, type ChainProblem, Problems, missing } from './domain/chain-check.js';
import { type SignedHead, isSignedBy, textOfHead } from './domain/signed-statement.js';

/** What a verification has found. */
export interface Verification {
  ok: boolean;
  /** Events whose hashes were made again. */
  checked: number;
  /** Signed heads that the log was compared with. */
  heads: number;
  /** First and last event in the database; 0 when there is none. */
  from: number;
  to: number;
  /** Events before `from`, in archives. */
  archived: number;
  problems: ChainProblem[];
  /** How many there are; `problems` names the first ones. */
  problemCount: number;
}

const BATCH = 2_000;

/** Proves the audit log: every hash, every link, the head, and everything that was ever signed. Memory does not grow with the log. */
@Injectable()
export class AuditVerifier {
  constructor(
    private readonly config: Config,
    private readonly reader: AuditReader,
    private readonly heads: AuditHeads,
    private readonly signer: AuditSigner,
  ) {}

  /** `witnesses` are signed heads that somebody else has kept; `archives`: read the files of archived segments too. */
  async verify(options: { witnesses?: readonly SignedHead[]; archives?: boolean } = {}): Promise<Verification> {
    return asSystem('audit', async () => {
      const problems = new Problems();
      // Whatever is appended from now on is not looked at.
      const head = await this.reader.head();
      const segments = await this.reader.segments();
      const start = this.followSegments(segments, problems);
      if (options.archives === true) await this.checkFiles(segments, problems);
      const chain = new ChainCheck(start, problems);
      await this.followTable(chain, head.seq);
      chain.end(head);
      const last = chain.place.seq;
      const heads = await this.compareHeads(segments, { first: start.seq + 1, last }, head.installation, options.witnesses ?? [], problems);
      const live = chain.checked > 0;
      return {
        ok: problems.count === 0,
        checked: chain.checked,
        heads,
        from: live ? start.seq + 1 : 0,
        to: live ? last : 0,
        archived: start.seq,
        problems: problems.found,
        problemCount: problems.count,
      };
    });
  }

  /** The place from which the table goes on. */
  private followSegments(segments: readonly ArchivedSegment[], problems: Problems): ChainPlace {
    let place: ChainPlace = { seq: 0, hash: GENESIS_HASH };
    for (const segment of segments) {
      if (segment.firstSeq !== place.seq + 1) problems.add(place.seq + 1, 'missing', missing(place.seq + 1, segment.firstSeq - 1));
      else if (segment.previousHash !== place.hash)
        problems.add(segment.firstSeq, 'edited', `The archived segment from event ${segment.firstSeq} does not follow the one before it.`);
      place = { seq: segment.lastSeq, hash: segment.lastHash };
    }
    return place;
  }

  private async followTable(chain: ChainCheck, last: number): Promise<void> {
    for (;;) {
      const records = await this.reader.after(chain.place.seq, BATCH, last);
      for (const record of records) chain.add(record);
      if (records.length < BATCH) return;
    }
  }

  private async checkFiles(segments: readonly ArchivedSegment[], problems: Problems): Promise<void> {
    for (const { file, fileSha256, firstSeq } of segments) {
      const digest = await digestOf(join(this.config.paths.control.audit.archive, file)).catch((error: unknown) => messageOf(error));
      if (digest !== fileSha256)
        problems.add(firstSeq, 'archive-damaged', `The archive ${file} is not the one that was written (${digest}).`);
    }
  }

  private async compareHeads(
    segments: readonly ArchivedSegment[],
    live: { first: number; last: number },
    installation: string,
    witnesses: readonly SignedHead[],
    problems: Problems,
  ): Promise<number> {
    const keys = await this.signer.publicKeys();
    const ends = new Map(segments.map((segment) => [segment.lastSeq, segment.lastHash]));
    let furthest: SignedHead | undefined;
    let count = 0;
    const compare = async (lines: readonly HeadLine[]): Promise<void> => {
      const hashes = await this.reader.hashesOf(lines.flatMap(({ head }) => (head === undefined ? [] : [head.seq])));
      for (const { line, head } of lines) {
        if (head === undefined || !isSignedBy(keys, head, textOfHead(head)) || head.installation !== installation) {
          problems.add(head?.seq ?? 0, 'head-mismatch', `Line ${line} of the published heads is not signed by this installation.`);
          continue;
        }
        count += 1;
        const present = hashes.get(head.seq) ?? ends.get(head.seq);
        // Present beyond the last one means: appended, signed and published since this verification began.
        if (present === undefined && head.seq > live.last && head.seq > (furthest?.seq ?? 0)) furthest = head;
        if (present !== undefined && present !== head.hash)
          problems.add(
            head.seq,
            'head-mismatch',
            `Event ${head.seq} is not the one that was signed at ${head.at}: the chain was written anew.`,
          );
      }
    };
    for await (const lines of batchesOf(this.heads.lines(), witnesses)) await compare(lines);
    if (furthest !== undefined)
      problems.add(live.last + 1, 'cut', `${missing(live.last + 1, furthest.seq)} Event ${furthest.seq} was signed at ${furthest.at}.`);
    return count;
  }
}

async function* batchesOf(lines: AsyncIterable<HeadLine>, witnesses: readonly SignedHead[]): AsyncGenerator<HeadLine[]> {
  let batch: HeadLine[] = [];
  for await (const line of lines) {
    batch.push(line);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  yield [...batch, ...witnesses.map((head, index) => ({ line: index + 1, head }))];
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
