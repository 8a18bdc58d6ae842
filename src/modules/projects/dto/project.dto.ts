import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsDefined, IsOptional, IsString, IsUUID } from 'class-validator';
import { PageQuery, pageDto } from '../../../http/pagination.js';
import { PROJECT_STATES, type ProjectState } from '../domain/project-state.js';
import type { ProjectView } from '../projects.service.js';

export const EXAMPLE_SPEC = {
  name: 'guestbook',
  components: {
    db: { port: 'postgres', version: '17', vars: { POSTGRES_DB: 'guestbook' } },
    web: {
      port: 'nodejs-app',
      version: '24',
      source: { path: './app', digest: `sha256-${'0'.repeat(64)}` },
      needs: ['db'],
      env: { DATABASE_URL: '${db.POSTGRES_URL}' },
    },
  },
};

/** A specification to apply or to plan. */
export class ProjectSpecDto {
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: EXAMPLE_SPEC,
    description: 'The content of hithe.yaml; its JSON Schema is at /api/v1/schemas/project',
  })
  @IsDefined({ message: 'spec is missing' })
  spec: Record<string, unknown>;
}

/** Which projects to list. */
export class ProjectQuery extends PageQuery {
  @ApiPropertyOptional({ format: 'uuid', description: 'Only those of this team', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55' })
  @IsOptional()
  @IsUUID()
  teamId?: string;

  @ApiPropertyOptional({ description: 'Only those of exactly this name', example: 'guestbook' })
  @IsOptional()
  @IsString()
  name?: string;
}

/** A project, as the API shows one. */
export class ProjectDto {
  @ApiProperty({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55' })
  id: string;
  @ApiProperty({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c56' })
  teamId: string;
  @ApiProperty({ example: 'guestbook' })
  name: string;
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: EXAMPLE_SPEC,
    description: 'What was applied last; secrets are hidden, and stay as they are when sent back so',
  })
  spec: Record<string, unknown>;
  @ApiProperty({ type: 'integer', example: 3, description: 'Grows with every change of `spec`; also the ETag' })
  specVersion: number;
  @ApiProperty({ type: 'integer', nullable: true, example: 2, description: 'The release that runs; null before the first deployment' })
  release: number | null;
  @ApiProperty({
    enum: PROJECT_STATES,
    enumName: 'ProjectState',
    example: 'running',
    description: '`stopped` by somebody; `failed` by itself',
  })
  state: ProjectState;
  @ApiProperty({ example: false, description: 'Whether developers need a grant to change what runs' })
  protected: boolean;
  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  createdAt: string;
  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  updatedAt: string;

  static from({ project, state }: ProjectView): ProjectDto {
    return {
      id: project.id,
      teamId: project.teamId,
      name: project.name,
      spec: project.spec,
      specVersion: project.specVersion,
      release: project.release,
      state,
      protected: project.protected,
      createdAt: project.createdAt.toISOString(),
      updatedAt: project.updatedAt.toISOString(),
    };
  }
}

/** One page of projects. */
export class ProjectPageDto extends pageDto(ProjectDto) {}

/** An archive that was stored. */
export class SourceDto {
  @ApiProperty({ example: `sha256-${'0'.repeat(64)}`, description: 'Put it into `source.digest` of the component' })
  digest: string;
  @ApiProperty({ type: 'integer', example: 18_224, description: 'Bytes' })
  size: number;
}
