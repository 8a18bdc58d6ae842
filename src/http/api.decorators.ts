import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiOperation, ApiProperty, ApiPropertyOptional, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import type { ErrorKind } from '../common/domain-error.js';
import { PROBLEMS } from './problem.js';

/** One fault within a request, as OpenAPI describes it. */
export class FaultDto {
  @ApiProperty({ example: 'components.web.needs[0]', description: 'Place in the request, dotted' })
  path: string;
  @ApiProperty({ example: 'COMPONENT_UNKNOWN', description: 'Stable code' })
  code: string;
  @ApiProperty({ example: 'There is no component "cach".' })
  message: string;
  @ApiPropertyOptional({ example: 'Did you mean "cache"?', description: 'What to do next' })
  fix?: string;
}

/** The body of every error, as OpenAPI describes it. */
export class ProblemDto {
  @ApiProperty({ example: 'urn:hithe:problem:project-not-found', description: 'Identifies the kind of problem' })
  type: string;
  @ApiProperty({ example: 'There is no such thing' })
  title: string;
  @ApiProperty({ type: 'integer', example: 404 })
  status: number;
  @ApiProperty({ example: 'PROJECT_NOT_FOUND', description: 'Stable code for programs' })
  code: string;
  @ApiProperty({ example: 'There is no project "guestbook" that you can see.', description: 'What happened, for people' })
  detail: string;
  @ApiProperty({ example: '/api/v1/projects/0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55' })
  instance: string;
  @ApiProperty({ example: '0199a7c2-6a10-7f4e-8a0e-3e7d9b8f1a21', description: 'Also in the X-Request-Id header and in the log' })
  requestId: string;
  @ApiPropertyOptional({ example: "See 'hithe projects' for the ones you can see.", description: 'What to do next' })
  fix?: string;
  @ApiPropertyOptional({ type: [FaultDto], description: 'The single faults of an invalid request' })
  errors?: FaultDto[];
  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    example: { requiredScope: 'deploy' },
    description: 'For programs: `requiredScope`, the scope that a token lacks',
  })
  details?: Record<string, unknown>;
}

/** Names an operation for OpenAPI: a stable `id` in camelCase, one line, and what it promises. */
export function Operation(operation: { id: string; summary: string; description: string }): MethodDecorator {
  return ApiOperation({ operationId: operation.id, summary: operation.summary, description: operation.description });
}

/** Declares the kinds of errors that an operation answers with, as `application/problem+json`. */
export function ApiProblem(...kinds: ErrorKind[]): MethodDecorator & ClassDecorator {
  const byStatus = new Map<number, string[]>();
  for (const kind of kinds) {
    const { status, title } = PROBLEMS[kind];
    byStatus.set(status, [...(byStatus.get(status) ?? []), title]);
  }
  const responses = [...byStatus].map(([status, titles]) =>
    ApiResponse({
      status,
      description: titles.join(', or: '),
      content: { 'application/problem+json': { schema: { $ref: getSchemaPath(ProblemDto) } } },
    }),
  );
  return applyDecorators(ApiExtraModels(ProblemDto), ...responses);
}
