import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ALLOCATION_STATES } from '../../../link/messages.js';
import { PROJECT_STATES, type ProjectState } from '../../projects/domain/project-state.js';
import { COMPONENT_HEALTHS, type ComponentEndpoint, type ComponentHealth, type ComponentView, overallHealth } from '../component-view.js';
import type { ProjectComponents } from '../components.service.js';

/** Where a component listens. */
export class ComponentEndpointDto implements ComponentEndpoint {
  @ApiProperty({ example: 'http' })
  name: string;
  @ApiProperty({ enum: ['http', 'tcp'], enumName: 'EndpointProtocol', example: 'http' })
  protocol: 'http' | 'tcp';
  @ApiProperty({ example: '127.0.0.1' })
  address: string;
  @ApiProperty({ type: 'integer', example: 20_003 })
  port: number;
  @ApiPropertyOptional({ example: 'http://127.0.0.1:20003/' })
  url?: string;
}

/** How a process ended. */
export class ComponentExitDto {
  @ApiPropertyOptional({ type: 'integer', example: 1 })
  code?: number;
  @ApiPropertyOptional({ example: 'SIGKILL' })
  signal?: string;
}

/** A component as it is now. */
export class ComponentStatusDto implements ComponentView {
  @ApiProperty({ example: 'web' })
  name: string;
  @ApiProperty({ example: 'nodejs-app' })
  port: string;
  @ApiPropertyOptional({ example: '24' })
  version?: string;
  @ApiPropertyOptional({ example: '24.21.0', description: 'The exact version of the software' })
  resolvedVersion?: string;
  @ApiProperty({
    enum: ['new', ...ALLOCATION_STATES],
    enumName: 'ComponentState',
    example: 'running',
    description: '`new`: not deployed yet; `stopped` by somebody, `failed` by itself',
  })
  state: string;
  @ApiProperty({ enum: COMPONENT_HEALTHS, enumName: 'ComponentHealth', example: 'healthy' })
  health: ComponentHealth;
  @ApiPropertyOptional({ example: 'HTTP 200 on /', description: 'What its health check said last' })
  healthMessage?: string;
  @ApiPropertyOptional({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  healthSince?: string;
  @ApiProperty({ type: 'integer', example: 0, description: 'How often it was started again after it ended by itself' })
  restarts: number;
  @ApiPropertyOptional({ type: 'integer', example: 4711 })
  pid?: number;
  @ApiPropertyOptional({ type: 'integer', example: 1_900_000_003 })
  uid?: number;
  @ApiPropertyOptional({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  startedAt?: string;
  @ApiPropertyOptional({ example: 'local' })
  node?: string;
  @ApiProperty({ type: [ComponentEndpointDto] })
  endpoints: ComponentEndpointDto[];
  @ApiPropertyOptional({ example: 'exited with code 1' })
  message?: string;
  @ApiPropertyOptional({ type: ComponentExitDto })
  exit?: ComponentExitDto;
  @ApiPropertyOptional({
    example: 'runs without cache (stopped), which it needs',
    description: 'What the state of others means to this one',
  })
  effect?: string;
}

/** A project as it is now. */
export class ProjectStatusDto {
  @ApiProperty({ example: 'guestbook' })
  project: string;
  @ApiProperty({ enum: PROJECT_STATES, enumName: 'ProjectState', example: 'running' })
  state: ProjectState;
  @ApiProperty({ type: 'integer', nullable: true, example: 2 })
  release: number | null;
  @ApiProperty({ enum: COMPONENT_HEALTHS, enumName: 'ComponentHealth', example: 'healthy', description: 'That of the worst component' })
  health: ComponentHealth;
  @ApiPropertyOptional({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55', description: 'The deployment that is under way' })
  activeDeploymentId?: string;
  @ApiProperty({ type: [ComponentStatusDto] })
  components: ComponentStatusDto[];

  static from({ project, state, components }: ProjectComponents): ProjectStatusDto {
    return {
      project: project.name,
      state,
      release: project.release,
      health: overallHealth(components),
      ...(project.activeDeploymentId === null ? {} : { activeDeploymentId: project.activeDeploymentId }),
      components,
    };
  }
}

/** The health of one component. */
export class ComponentHealthDto {
  @ApiProperty({ example: 'cache' })
  name: string;
  @ApiProperty({ enum: COMPONENT_HEALTHS, enumName: 'ComponentHealth', example: 'stopped' })
  health: ComponentHealth;
  @ApiPropertyOptional({ example: 'stopped on request' })
  message?: string;
  @ApiPropertyOptional({ format: 'date-time', example: '2026-01-01T00:00:00.000Z', description: 'When it changed last' })
  since?: string;
}

/** Whether all of a project is well. */
export class ProjectHealthDto {
  @ApiProperty({ example: false, description: 'Whether every component is healthy' })
  healthy: boolean;
  @ApiProperty({ type: [ComponentHealthDto] })
  components: ComponentHealthDto[];

  static from({ components }: ProjectComponents): ProjectHealthDto {
    return {
      healthy: components.every((component) => component.health === 'healthy'),
      components: components.map(({ name, health, healthMessage, effect, healthSince }) => {
        const message = [healthMessage, effect].filter((part) => part !== undefined).join('; ');
        return { name, health, ...(message === '' ? {} : { message }), ...(healthSince === undefined ? {} : { since: healthSince }) };
      }),
    };
  }
}
