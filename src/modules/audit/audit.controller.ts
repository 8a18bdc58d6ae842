import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { Actor } from '../../auth/actor.js';
import { CurrentActor, RequireAbility } from '../../auth/auth.decorators.js';
import { invalidRequest } from '../../http/validation.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { EventStreams } from '../../http/event-streams.js';
import { IdParam } from '../../http/id-param.js';
import { mapPage } from '../../http/pagination.js';
import { AuditEventsService } from './audit-events.service.js';
import { AuditExport } from './audit-export.js';
import { AuditEventDto, AuditEventPageDto, AuditExportQuery, AuditFilterQuery, AuditQuery } from './dto/audit-event.dto.js';

const EVENT_EXAMPLE = 'id: 4711\nevent: event\ndata: {"seq":4711,"action":"project.applied","outcome":"success"}\n\n';

/** The audit log as people read it. */
@ApiTags('audit')
@Controller('audit')
export class AuditController {
  constructor(
    private readonly events: AuditEventsService,
    private readonly exporter: AuditExport,
    private readonly streams: EventStreams,
  ) {}

  @Get('events')
  @RequireAbility('read', 'AuditEvent')
  @Operation({
    id: 'listAuditEvents',
    summary: 'List audit events',
    description:
      'Newest first. Owners, admins and auditors see the events of their teams, developers what they did themselves there, platform administrators those that belong to no team.',
  })
  @ApiOkResponse({ type: AuditEventPageDto, description: 'A page of events' })
  @ApiProblem('invalid', 'not-found')
  async list(@CurrentActor() actor: Actor, @Query() query: AuditQuery): Promise<AuditEventPageDto> {
    return mapPage(await this.events.list(actor, query), (record) => AuditEventDto.from(record));
  }

  @Get('events/:eventId')
  @RequireAbility('read', 'AuditEvent')
  @Operation({ id: 'getAuditEvent', summary: 'Show an audit event', description: 'With what was before and after it.' })
  @ApiOkResponse({ type: AuditEventDto, description: 'The event' })
  @ApiProblem('invalid', 'not-found')
  async get(@CurrentActor() actor: Actor, @IdParam('eventId') eventId: string): Promise<AuditEventDto> {
    return AuditEventDto.from(await this.events.get(actor, eventId));
  }

  @Get('follow')
  @RequireAbility('read', 'AuditEvent')
  @Operation({
    id: 'followAuditEvents',
    summary: 'Follow the audit log',
    description: 'Server-sent events: each event that passes the filters, from now on or after `Last-Event-ID`, without a gap.',
  })
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'Number of the last event that was seen', example: '4711' })
  @ApiOkResponse({ description: 'The events', content: { 'text/event-stream': { schema: { type: 'string' }, example: EVENT_EXAMPLE } } })
  @ApiProblem('invalid', 'not-found')
  async follow(
    @CurrentActor() actor: Actor,
    @Query() filter: AuditFilterQuery,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await this.streams.send(request, response, async ({ signal, lastEventId }) => {
      const after = sequenceOf(lastEventId);
      await this.events.assertMay(actor, 'read', filter);
      return this.events.follow(actor, filter, after, signal);
    });
  }

  @Get('export')
  @RequireAbility('export', 'AuditEvent')
  @Operation({
    id: 'exportAuditEvents',
    summary: 'Export audit events',
    description:
      'Oldest first, of any length, as JSON lines (each with what its hash was made of) or CSV. The export itself is an event. docs/audit.md says how to check it without this server.',
  })
  @ApiProduces('application/x-ndjson', 'text/csv')
  @ApiOkResponse({
    description: 'The events',
    content: {
      'application/x-ndjson': { schema: { type: 'string' }, example: '{"seq":4711,"action":"project.applied"}\n' },
      'text/csv': { schema: { type: 'string' }, example: 'seq,at,action\n4711,2026-01-31T09:30:00.123456Z,project.applied\n' },
    },
  })
  @ApiProblem('invalid', 'not-found', 'unavailable')
  async export(@CurrentActor() actor: Actor, @Query() query: AuditExportQuery, @Res() response: Response): Promise<void> {
    await this.exporter.send(actor, query, response);
  }
}

function sequenceOf(lastEventId: string | undefined): number | undefined {
  if (lastEventId === undefined) return undefined;
  if (/^\d{1,15}$/.test(lastEventId)) return Number(lastEventId);
  throw invalidRequest([{ path: 'Last-Event-ID', code: 'EVENT_ID_INVALID', message: 'Last-Event-ID must be the number of an event.' }]);
}
