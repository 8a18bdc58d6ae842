import { createHash } from 'node:crypto';
import { Injectable, PayloadTooLargeException } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, Repository } from 'typeorm';
import { asOwner, mayDoInTeam } from '../../auth/ability.js';
import type { Actor } from '../../auth/actor.js';
import { tokenRefusal } from '../../auth/token-refusal.js';
import { DomainError, notFound } from '../../common/domain-error.js';
import { newId } from '../../common/ids.js';
import { TransactionRunner } from '../../database/transaction-runner.js';
import { AuditLog } from '../audit/audit-log.js';
import { AllocationsService } from '../nodes/allocations.service.js';
import { TeamsService } from '../teams/teams.service.js';
import { Source } from './source.entity.js';

export const LARGEST_ARCHIVE_BYTES = 64 * 1024 * 1024;
/** How much of an archive is in memory at once while it is sent. */
const CHUNK_BYTES = 2 * 1024 * 1024;

export interface StoredSource {
  digest: string;
  size: number;
}

/** Uploaded code: stored once for each team and content, and given to the nodes that run it. */
@Injectable()
export class SourcesService {
  constructor(
    @InjectRepository(Source) private readonly sources: Repository<Source>,
    private readonly teams: TeamsService,
    private readonly allocations: AllocationsService,
    private readonly transactions: TransactionRunner,
    private readonly audit: AuditLog,
  ) {}

  /** Stores an archive (tar, gzip) of at most 64 MiB. The same content again changes nothing. */
  async store(actor: Actor, teamId: string, body: AsyncIterable<Buffer>, declaredBytes: number | undefined): Promise<StoredSource> {
    await this.teams.require(asOwner(actor), teamId);
    assertMayUpload(actor, teamId);
    if (declaredBytes !== undefined && declaredBytes > LARGEST_ARCHIVE_BYTES) throw tooLarge();
    const content = await readAll(body);
    if (content[0] !== 0x1f || content[1] !== 0x8b) {
      throw new DomainError('invalid', 'SOURCE_NOT_AN_ARCHIVE', 'The body is not a gzip-compressed tar archive.', {
        fix: 'Send the output of `tar -cz` as application/gzip.',
      });
    }
    const digest = `sha256-${createHash('sha256').update(content).digest('hex')}`;
    const source = { id: newId(), teamId, digest, size: content.length, content };
    await this.insert(source);
    return { digest, size: content.length };
  }

  /** Which of these archives the team has. */
  async known(teamId: string, digests: readonly string[]): Promise<Set<string>> {
    if (digests.length === 0) return new Set();
    const rows = await this.sources.find({ select: { digest: true }, where: { teamId, digest: In([...digests]) } });
    return new Set(rows.map((row) => row.digest));
  }

  /** An archive for a node, as chunks; only one that an allocation of this node runs. */
  async forNode(nodeId: string, digest: string): Promise<{ size: number; chunks: AsyncIterable<Buffer> }> {
    const teamId = await this.allocations.teamOfSource(nodeId, digest);
    const source = teamId === null ? null : await this.sources.findOneBy({ teamId, digest });
    if (source === null) throw notFound('source', digest);
    return { size: source.size, chunks: this.chunks(source) };
  }

  private async insert(source: Pick<Source, 'id' | 'teamId' | 'digest' | 'size' | 'content'>): Promise<void> {
    await this.transactions.run(async (tx) => {
      const result = await tx.createQueryBuilder().insert().into(Source).values(source).orIgnore().returning('id').execute();
      // The team had this very content already.
      if ((result.raw as unknown[]).length === 0) return;
      await this.audit.record(tx, {
        action: 'source.uploaded',
        teamId: source.teamId,
        subject: { type: 'source', id: source.digest },
        details: { bytes: source.size },
      });
    });
  }

  private async *chunks(source: Source): AsyncIterable<Buffer> {
    for (let offset = 0; offset < source.size; offset += CHUNK_BYTES) {
      // PostgreSQL counts bytes from 1.
      const [row] = await this.sources.query<{ chunk: Buffer }[]>(
        'SELECT substring(content FROM $2 FOR $3) AS chunk FROM sources WHERE id = $1',
        [source.id, offset + 1, CHUNK_BYTES],
      );
      if (row === undefined) throw notFound('source', source.digest);
      yield row.chunk;
    }
  }
}

/** Code is the team's until a project runs it, so any project that may be changed will do. */
function assertMayUpload(actor: Actor, teamId: string): void {
  if (mayDoInTeam(actor.ability, 'update', teamId)) return;
  if (actor.unscoped && mayDoInTeam(actor.unscoped, 'update', teamId)) throw tokenRefusal('update', 'Project');
  throw new DomainError('forbidden', 'ACTION_FORBIDDEN', 'Your role does not allow you to upload code to this team.', {
    fix: 'Ask an owner or admin of the team for the role of a developer.',
  });
}

async function readAll(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > LARGEST_ARCHIVE_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(): PayloadTooLargeException {
  return new PayloadTooLargeException(
    'The archive is larger than 64 MiB. Exclude what is not source code with .gitignore, or deploy from a git repository.',
  );
}
