import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, IsNumber, IsOptional, Max, Min } from 'class-validator';
import { type Limits, QUOTA_RESOURCES, type QuotaResource } from '../domain/quota.js';
import type { QuotaLine } from '../quotas.service.js';

const MOST = 1_000_000;
const MOST_BYTES = 2 ** 50;
const note = 'null: no limit; absent: ';

/** Limits, as they are set. A property that is absent leaves the resource to the platform's default, or to no limit. */
export class QuotaLimitsDto implements Limits {
  @ApiPropertyOptional({ type: 'integer', nullable: true, minimum: 0, example: 20, description: `Projects; ${note}the platform's default` })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MOST)
  projects?: number | null;

  @ApiPropertyOptional({ type: 'integer', nullable: true, minimum: 0, example: 60, description: 'Components of all projects' })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MOST)
  components?: number | null;

  @ApiPropertyOptional({
    type: 'integer',
    nullable: true,
    minimum: 0,
    example: 8_589_934_592,
    description: 'Bytes of memory that all components may ask for together',
  })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MOST_BYTES)
  memory?: number | null;

  @ApiPropertyOptional({
    type: 'number',
    nullable: true,
    minimum: 0,
    example: 4.5,
    description: 'CPU cores that all components may ask for together',
  })
  @IsOptional()
  @IsNumber({ maxDecimalPlaces: 3 })
  @Min(0)
  @Max(MOST)
  cpu?: number | null;

  @ApiPropertyOptional({
    type: 'integer',
    nullable: true,
    minimum: 0,
    example: 53_687_091_200,
    description: 'Bytes of all component directories',
  })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MOST_BYTES)
  disk?: number | null;

  @ApiPropertyOptional({ type: 'integer', nullable: true, minimum: 0, example: 40, description: 'Network ports that components listen on' })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(MOST)
  listenPorts?: number | null;

  /** Only what was given, so that absent and null stay different. */
  static limitsOf(body: QuotaLimitsDto): Limits {
    return Object.fromEntries(QUOTA_RESOURCES.flatMap((resource) => (body[resource] === undefined ? [] : [[resource, body[resource]]])));
  }
}

/** One resource of a team's quota. */
export class QuotaLineDto implements QuotaLine {
  @ApiProperty({ enum: QUOTA_RESOURCES, enumName: 'QuotaResource', example: 'components' })
  resource: QuotaResource;
  @ApiProperty({ type: 'number', nullable: true, example: 60, description: 'Memory and disk in bytes, CPU in cores; null: no limit' })
  limit: number | null;
  @ApiProperty({ enum: ['team', 'platform', 'none'], enumName: 'QuotaSource', example: 'team', description: 'Where the limit comes from' })
  source: QuotaLine['source'];
  @ApiProperty({ type: 'number', example: 12, description: 'What the running releases have; disk: what was measured last' })
  used: number;
  @ApiProperty({
    type: 'number',
    nullable: true,
    example: 15,
    description: 'What the applied specifications ask for, deployed or not; this is what the limit is held against. Null for disk',
  })
  planned: number | null;
}

/** A team's quota. */
export class TeamQuotaDto {
  @ApiProperty({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c56' })
  teamId: string;
  @ApiProperty({ type: [QuotaLineDto], description: 'Every resource, limited or not' })
  resources: QuotaLineDto[];
  @ApiProperty({ type: QuotaLimitsDto, description: "The team's own limits; the others are the platform's" })
  own: QuotaLimitsDto;
}
