import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Public } from '../../auth/auth.decorators.js';
import { DomainError } from '../../common/domain-error.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { HealthDto, PartHealthDto } from './health.dto.js';
import { HealthService } from './health.service.js';

/** How the platform is, for people, launchers and load balancers. */
@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(private readonly health: HealthService) {}

  @Get()
  @Public()
  @Header('Cache-Control', 'no-store')
  @Operation({
    id: 'getHealth',
    summary: 'Show the health of the platform',
    description:
      'Database, queue, agent and isolation, each asked now, with what to do. Answers 200 also when something is ill: `status` tells.',
  })
  @ApiOkResponse({ type: HealthDto, description: 'Health of each part' })
  async report(): Promise<HealthDto> {
    return this.health.report();
  }

  @Get('live')
  @Public()
  @Header('Cache-Control', 'no-store')
  @Operation({ id: 'getLiveness', summary: 'Is the process alive', description: 'Answers as long as the process runs; asks nothing else.' })
  @ApiOkResponse({ type: PartHealthDto, description: 'It is' })
  live(): PartHealthDto {
    return { ok: true, message: 'Alive.' };
  }

  @Get('ready')
  @Public()
  @Header('Cache-Control', 'no-store')
  @Operation({
    id: 'getReadiness',
    summary: 'Can it answer requests',
    description: '200 when database and queue answer and the process is not stopping; otherwise 503.',
  })
  @ApiOkResponse({ type: PartHealthDto, description: 'It can' })
  @ApiProblem('unavailable')
  async ready(): Promise<PartHealthDto> {
    const ready = await this.health.ready();
    if (ready.ok) return ready;
    throw new DomainError('unavailable', 'NOT_READY', ready.message, ready.fix === undefined ? {} : { fix: ready.fix });
  }
}
