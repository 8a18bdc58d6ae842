import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { pageDto } from '../../../http/pagination.js';
import type { Node } from '../node.entity.js';
import { isConnected } from '../nodes.service.js';

/** One check of a node's isolation. */
export class IsolationCheckDto {
  @ApiProperty({ example: 'other-tenants-files', description: 'Which wall was tried' })
  name: string;
  @ApiProperty({ example: true })
  ok: boolean;
  @ApiProperty({ example: "another tenant's directory is invisible", description: 'What was found' })
  message: string;
}

/** How a node isolates tenants. */
export class IsolationDto {
  @ApiProperty({ enum: ['root', 'rootless', 'none'], example: 'root', description: '`root`: a uid for each tenant' })
  mode: 'root' | 'rootless' | 'none';
  @ApiProperty({ example: true, description: 'Whether every wall stands; without it no tenant code runs' })
  ok: boolean;
  @ApiProperty({ type: [IsolationCheckDto], description: 'What was tried at the start of the agent' })
  checks: IsolationCheckDto[];
}

/** A machine with an agent, as the API shows one. */
export class NodeDto {
  @ApiProperty({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55' })
  id: string;
  @ApiProperty({ example: 'local' })
  name: string;
  @ApiProperty({ example: true, description: 'Whether its agent is connected right now' })
  connected: boolean;
  @ApiPropertyOptional({ format: 'date-time', example: '2026-01-01T00:00:00.000Z', description: 'When the agent was last heard' })
  lastSeenAt?: string;
  @ApiPropertyOptional({ example: 'harbour-1' })
  hostname?: string;
  @ApiPropertyOptional({ example: 'linux-x64' })
  platform?: string;
  @ApiPropertyOptional({ type: 'integer', example: 8 })
  cpus?: number;
  @ApiPropertyOptional({ type: 'integer', example: 16_777_216_000 })
  memoryBytes?: number;
  @ApiPropertyOptional({ example: '0.1.0' })
  agentVersion?: string;
  @ApiPropertyOptional({ type: IsolationDto, description: 'As the agent found it when it started' })
  isolation?: IsolationDto;

  static from(node: Node): NodeDto {
    const { facts, lastSeenAt } = node;
    return {
      id: node.id,
      name: node.name,
      connected: isConnected(node),
      ...(lastSeenAt === null ? {} : { lastSeenAt: lastSeenAt.toISOString() }),
      ...(facts === null
        ? {}
        : {
            hostname: facts.hostname,
            platform: facts.platform,
            cpus: facts.cpus,
            memoryBytes: facts.memoryBytes,
            agentVersion: facts.agentVersion,
            isolation: facts.isolation,
          }),
    };
  }
}

/** One page of nodes. */
export class NodePageDto extends pageDto(NodeDto) {}
