import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsArray, IsBoolean, IsIn, IsOptional, IsString } from 'class-validator';
import { Transform } from 'class-transformer';
import { pageDto } from '../../../http/pagination.js';
import type { Deployment } from '../deployment.entity.js';
import { DEPLOYMENT_KINDS, DEPLOYMENT_STATES, type DeploymentKind, type DeploymentState } from '../domain/deployment.js';

const STARTABLE = ['deploy', 'start', 'stop', 'restart'] as const;
const STEP_NAMES = ['prepare', 'start', 'verify', 'drain', 'stop', 'remove', 'restore'] as const;
const STEP_STATES = ['pending', 'running', 'done', 'failed'] as const;

/** The request to start a deployment. */
export class CreateDeploymentDto {
  @ApiProperty({
    enum: STARTABLE,
    enumName: 'StartableDeploymentKind',
    example: 'deploy',
    description: '`deploy` brings the project to its specification; the others change what runs',
  })
  @IsIn(STARTABLE)
  kind: (typeof STARTABLE)[number];

  @ApiPropertyOptional({ type: [String], example: ['cache'], description: 'Only these components; all when absent. Not with `deploy`' })
  @IsOptional()
  @IsArray()
  @IsString({ each: true })
  components?: string[];
}

/** How a project is deleted. */
export class DeleteProjectQuery {
  @ApiProperty({ example: 'guestbook', description: 'The name of the project, as a confirmation' })
  @IsString()
  confirm: string;

  @ApiPropertyOptional({
    type: Boolean,
    example: false,
    default: false,
    description: 'Delete the data of its components too; they are set aside on the node otherwise',
  })
  @IsOptional()
  @Transform(({ value }: { value: unknown }) =>
    value === 'true' || value === '1' ? true : value === 'false' || value === '0' ? false : value,
  )
  @IsBoolean()
  purge?: boolean;
}

/** One step of one component. */
export class DeploymentStepDto {
  @ApiProperty({ example: 'web' })
  component: string;
  @ApiProperty({ enum: STEP_NAMES, enumName: 'DeploymentStepName', example: 'prepare' })
  step: (typeof STEP_NAMES)[number];
  @ApiProperty({ enum: STEP_STATES, enumName: 'DeploymentStepState', example: 'done' })
  state: (typeof STEP_STATES)[number];
  @ApiPropertyOptional({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  startedAt?: string;
  @ApiPropertyOptional({ format: 'date-time', example: '2026-01-01T00:00:01.000Z' })
  finishedAt?: string;
  @ApiPropertyOptional({ example: 'build' })
  message?: string;
}

/** Why a deployment failed. */
export class DeploymentFailureDto {
  @ApiPropertyOptional({ example: 'web' })
  component?: string;
  @ApiProperty({ example: 'build', description: 'The step or script that failed' })
  step: string;
  @ApiPropertyOptional({ type: 'integer', example: 1 })
  exitCode?: number;
  @ApiPropertyOptional({ example: 'SIGKILL' })
  signal?: string;
  @ApiProperty({ example: 'build.sh exited with code 1' })
  message: string;
  @ApiProperty({ type: [String], example: ['npm error Missing script: "build"'], description: 'The last lines of its log' })
  logTail: string[];
  @ApiPropertyOptional({
    example: 'Run the build on your machine, mend what the log lines say, and deploy again.',
    description: 'The likely mend',
  })
  fix?: string;
}

/** A deployment, as the API shows one. */
export class DeploymentDto {
  @ApiProperty({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55' })
  id: string;
  @ApiProperty({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c56' })
  projectId: string;
  @ApiProperty({ enum: DEPLOYMENT_KINDS, enumName: 'DeploymentKind', example: 'deploy' })
  kind: DeploymentKind;
  @ApiProperty({
    enum: DEPLOYMENT_STATES,
    enumName: 'DeploymentState',
    example: 'succeeded',
    description: '`succeeded`, `rolled_back`, `failed` and `cancelled` are final',
  })
  state: DeploymentState;
  @ApiProperty({ type: 'integer', nullable: true, example: 2, description: 'The release that it brings the project to' })
  release: number | null;
  @ApiProperty({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c57', description: 'The user who started it' })
  requestedBy: string;
  @ApiProperty({ type: [String], example: ['web'], description: 'The components that it touches' })
  components: string[];
  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  createdAt: string;
  @ApiPropertyOptional({ format: 'date-time', example: '2026-01-01T00:00:03.000Z' })
  finishedAt?: string;
  @ApiProperty({ type: [DeploymentStepDto], description: 'What it does to each component, in order' })
  steps: DeploymentStepDto[];
  @ApiPropertyOptional({ type: DeploymentFailureDto })
  failure?: DeploymentFailureDto;

  static from(deployment: Deployment): DeploymentDto {
    const { actions, failure, finishedAt } = deployment;
    return {
      id: deployment.id,
      projectId: deployment.projectId,
      kind: deployment.kind,
      state: deployment.state,
      release: deployment.release,
      requestedBy: deployment.requestedBy,
      components: actions.map((action) => action.component),
      createdAt: deployment.createdAt.toISOString(),
      ...(finishedAt === null ? {} : { finishedAt: finishedAt.toISOString() }),
      steps: actions.flatMap((action) => action.steps.map((step) => ({ component: action.component, ...step }))),
      ...(failure === null ? {} : { failure }),
    };
  }
}

/** One page of deployments. */
export class DeploymentPageDto extends pageDto(DeploymentDto) {}
