import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { RequireAbility } from '../../auth/auth.decorators.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { AuditArchives } from './audit-archives.js';
import { AuditProofs } from './audit-proofs.js';
import {
  AuditKeysDto,
  AuditSegmentDto,
  AuditSegmentListDto,
  CreateArchiveDto,
  VerificationDto,
  VerifyAuditDto,
} from './dto/audit-proof.dto.js';

/** What proves the audit log, and where its oldest events go. */
@ApiTags('audit')
@Controller('audit')
export class AuditProofsController {
  constructor(
    private readonly proofs: AuditProofs,
    private readonly archives: AuditArchives,
  ) {}

  @Get('keys')
  @RequireAbility('read', 'AuditEvent')
  @Operation({
    id: 'getAuditKeys',
    summary: 'Show the keys of the audit log',
    description: 'Public keys of signed heads and archives. Keep them, and heads, where this platform cannot reach them.',
  })
  @ApiOkResponse({ type: AuditKeysDto, description: 'The keys' })
  keys(): Promise<AuditKeysDto> {
    return this.proofs.keys();
  }

  @Post('verify')
  @HttpCode(200)
  @RequireAbility('manage', 'Platform')
  @Operation({
    id: 'verifyAudit',
    summary: 'Prove the audit log',
    description:
      'Makes every hash again, follows the chain across archives, and compares it with every head that was ever signed, those in the body too. Takes a while for a long log. Is itself an event.',
  })
  @ApiOkResponse({ type: VerificationDto, description: 'What was found; `ok` is false when the log is not whole' })
  @ApiProblem('invalid')
  verify(@Body() body: VerifyAuditDto): Promise<VerificationDto> {
    return this.proofs.verify(body);
  }

  @Get('archives')
  @RequireAbility('manage', 'Platform')
  @Operation({
    id: 'listAuditArchives',
    summary: 'List archives of the audit log',
    description: 'Every segment that has left the database.',
  })
  @ApiOkResponse({ type: AuditSegmentListDto, description: 'All of them, oldest first' })
  async list(): Promise<AuditSegmentListDto> {
    return { items: (await this.archives.list()).map((segment) => AuditSegmentDto.from(segment)), nextCursor: null };
  }

  @Post('archives')
  @RequireAbility('manage', 'Platform')
  @Operation({
    id: 'createAuditArchive',
    summary: 'Archive the oldest audit events',
    description:
      'Writes every event before a moment into a signed file, reads it back, and only then removes them from the database. Events that a stream has not had yet stay.',
  })
  @ApiCreatedResponse({ type: AuditSegmentDto, description: 'The segment' })
  @ApiProblem('invalid', 'conflict', 'unavailable')
  async create(@Body() body: CreateArchiveDto): Promise<AuditSegmentDto> {
    return AuditSegmentDto.from(await this.archives.archive(new Date(body.before)));
  }
}
