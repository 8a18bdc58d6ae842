import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiParam, ApiTags } from '@nestjs/swagger';
import { RequireAbility } from '../../auth/auth.decorators.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { PortDetailDto, PortDto, PortPageDto } from './dto/port.dto.js';
import { PortsService } from './ports.service.js';

/** The catalogue of software that components can be made of. */
@ApiTags('ports')
@Controller('ports')
export class PortsController {
  constructor(private readonly ports: PortsService) {}

  @Get()
  @RequireAbility('read', 'Port')
  @Operation({
    id: 'listPorts',
    summary: 'List ports',
    description: 'Everything that a component can be made of, with the versions that can be installed.',
  })
  @ApiOkResponse({ type: PortPageDto, description: 'All ports, by name' })
  list(): PortPageDto {
    return { items: this.ports.list().map((port) => PortDto.from(port)), nextCursor: null };
  }

  @Get(':name')
  @RequireAbility('read', 'Port')
  @Operation({
    id: 'getPort',
    summary: 'Show a port',
    description: 'Its versions, the vars that a component can set, what dependants can read, and where it listens.',
  })
  @ApiParam({ name: 'name', example: 'postgres' })
  @ApiOkResponse({ type: PortDetailDto, description: 'The port' })
  @ApiProblem('not-found')
  get(@Param('name') name: string): PortDetailDto {
    return PortDetailDto.from(this.ports.get(name));
  }
}
