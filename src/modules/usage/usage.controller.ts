import { once } from 'node:events';
import { Controller, Get, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import type { Actor } from '../../auth/actor.js';
import { CurrentActor, RequireAbility } from '../../auth/auth.decorators.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { IdParam } from '../../http/id-param.js';
import { spanOf } from './domain/usage-query.js';
import { PlatformUsageQuery, TeamUsageQuery, UsageExportQuery, UsagePageDto } from './dto/usage.dto.js';
import { type UsageQuestion, UsageService } from './usage.service.js';

const EXPORTED = {
  description: 'One line for each component and day',
  content: {
    'text/csv': { schema: { type: 'string' as const }, example: 'day,team,teamId,project,…\r\n2026-01-31,shop,0199a7c2-…,guestbook,…\r\n' },
    'application/jsonl': { schema: { type: 'string' as const }, example: '{"day":"2026-01-31","team":"shop"}\n' },
  },
};

/** What teams have used, for them and for whoever bills. */
@ApiTags('usage')
@Controller()
export class UsageController {
  constructor(private readonly usage: UsageService) {}

  @Get('teams/:teamId/usage')
  @RequireAbility('read', 'Team')
  @Operation({
    id: 'getTeamUsage',
    summary: "Show a team's usage",
    description: 'Processor time, memory and stored data by day, project or component; what deleted projects used stays.',
  })
  @ApiOkResponse({ type: UsagePageDto, description: 'One page of usage' })
  @ApiProblem('invalid', 'not-found')
  async ofTeam(@CurrentActor() actor: Actor, @IdParam('teamId') teamId: string, @Query() query: TeamUsageQuery): Promise<UsagePageDto> {
    return this.usage.list(actor, teamId, questionOf(query));
  }

  @Get('teams/:teamId/usage/export')
  @RequireAbility('read', 'Team')
  @Operation({
    id: 'exportTeamUsage',
    summary: "Export a team's usage",
    description: 'One line for each component and day, as CSV or JSON lines.',
  })
  @ApiOkResponse(EXPORTED)
  @ApiProblem('invalid', 'not-found')
  async exportOfTeam(
    @CurrentActor() actor: Actor,
    @IdParam('teamId') teamId: string,
    @Query() query: UsageExportQuery,
    @Res() response: Response,
  ): Promise<void> {
    await this.send(actor, teamId, query, response);
  }

  @Get('usage')
  @RequireAbility('manage', 'Platform')
  @Operation({
    id: 'getUsage',
    summary: 'Show the usage of all teams',
    description: 'Processor time, memory and stored data by team, day, project or component. Platform administrators only.',
  })
  @ApiOkResponse({ type: UsagePageDto, description: 'One page of usage' })
  @ApiProblem('invalid')
  async ofPlatform(@CurrentActor() actor: Actor, @Query() query: PlatformUsageQuery): Promise<UsagePageDto> {
    return this.usage.list(actor, null, questionOf(query));
  }

  @Get('usage/export')
  @RequireAbility('manage', 'Platform')
  @Operation({
    id: 'exportUsage',
    summary: 'Export the usage of all teams',
    description: 'One line for each component and day, as CSV or JSON lines, for bills. Platform administrators only.',
  })
  @ApiOkResponse(EXPORTED)
  @ApiProblem('invalid')
  async exportOfPlatform(@CurrentActor() actor: Actor, @Query() query: UsageExportQuery, @Res() response: Response): Promise<void> {
    await this.send(actor, null, query, response);
  }

  /** What fails before the first line is a problem like any other; what fails later breaks the connection off, so that nobody takes it for whole. */
  private async send(actor: Actor, teamId: string | null, query: UsageExportQuery, response: Response): Promise<void> {
    const span = spanOf(query.from, query.to, new Date());
    const lines = this.usage.export(actor, teamId, span, query.format);
    let line = await lines.next();
    response.type(query.format === 'csv' ? 'text/csv; charset=utf-8' : 'application/jsonl; charset=utf-8');
    response.attachment(`usage-${span.from}-${span.to}.${query.format}`);
    const gone = new Promise<void>((resolve) => response.once('close', resolve));
    try {
      for (; line.done !== true && !response.destroyed; line = await lines.next()) {
        if (!response.write(line.value)) await Promise.race([once(response, 'drain'), gone]);
      }
      response.end();
    } catch (error) {
      response.destroy();
      throw error;
    }
  }
}

function questionOf({ from, to, by, cursor, limit }: TeamUsageQuery | PlatformUsageQuery): UsageQuestion {
  return { ...spanOf(from, to, new Date()), by, cursor, limit };
}
