import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiExtraModels, ApiHeader, ApiOkResponse, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import type { Actor } from '../../auth/actor.js';
import { CurrentActor, RequireAbility } from '../../auth/auth.decorators.js';
import { DomainError } from '../../common/domain-error.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { EventStreams, type ServerEvent } from '../../http/event-streams.js';
import { IdParam } from '../../http/id-param.js';
import type { LogLine } from '../../link/messages.js';
import { LogLinesDto, LogsQuery } from './dto/log.dto.js';
import { LogsService } from './logs.service.js';

const LINE = {
  component: 'web',
  allocationId: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55',
  at: '2026-01-01T00:00:00.000000Z',
  text: 'listening on 20003',
};

/** What components write. */
@ApiTags('projects')
@ApiExtraModels(LogLinesDto)
@Controller('projects/:projectId/logs')
export class LogsController {
  constructor(
    private readonly logs: LogsService,
    private readonly streams: EventStreams,
  ) {}

  @Get()
  @RequireAbility('read-logs', 'Project')
  @Operation({
    id: 'readLogs',
    summary: 'Read or follow logs',
    description:
      'Past lines as JSON; with `follow`, or when `text/event-stream` is accepted, server-sent events `line`, resumable by `Last-Event-ID`, which is the time stamp of a line.',
  })
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'Only lines after this time stamp', example: LINE.at })
  @ApiOkResponse({
    description: 'The lines, oldest first',
    content: {
      'application/json': { schema: { $ref: getSchemaPath(LogLinesDto) }, example: { items: [LINE] } },
      'text/event-stream': { schema: { type: 'string' }, example: `id: ${LINE.at}\nevent: line\ndata: ${JSON.stringify(LINE)}\n\n` },
    },
  })
  @ApiProblem('invalid', 'not-found', 'unavailable')
  async read(
    @CurrentActor() actor: Actor,
    @IdParam('projectId') projectId: string,
    @Query() query: LogsQuery,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const asked = { component: query.component, lines: query.lines, follow: query.follow ?? false };
    if (asked.follow || request.accepts(['json', 'text/event-stream']) === 'text/event-stream') {
      await this.streams.send(request, response, async ({ signal, lastEventId }) =>
        events(await this.logs.read(actor, projectId, { ...asked, after: timeStamp(lastEventId) }, signal)),
      );
      return;
    }
    const controller = new AbortController();
    response.on('close', () => {
      controller.abort();
    });
    const items: LogLine[] = [];
    for await (const line of await this.logs.read(actor, projectId, asked, controller.signal)) items.push(line);
    if (!response.destroyed) response.json({ items });
  }
}

async function* events(lines: AsyncIterable<LogLine>): AsyncGenerator<ServerEvent> {
  for await (const line of lines) yield { id: line.at, event: 'line', data: line };
}

function timeStamp(lastEventId: string | undefined): string | undefined {
  if (lastEventId === undefined || !Number.isNaN(Date.parse(lastEventId))) return lastEventId;
  throw new DomainError('invalid', 'LAST_EVENT_ID_INVALID', 'Last-Event-ID is not one that this stream gave out.', {
    fix: 'Leave it out.',
  });
}
