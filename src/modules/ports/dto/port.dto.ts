import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { Port } from '../catalogue/catalogue.types.js';

/** One var of a port. */
export class PortVarDto {
  @ApiProperty({ example: 'POSTGRES_DB' })
  name: string;
  @ApiProperty({ example: 'Name of the database that is created' })
  description: string;
  @ApiProperty({ example: 'string' })
  type: string;
  @ApiProperty({ example: false, description: 'Whether a component must set it' })
  required: boolean;
  @ApiPropertyOptional({ example: 'app' })
  default?: string;
  @ApiProperty({ example: false, description: 'Never shown again once set' })
  secret: boolean;
  @ApiProperty({ example: false, description: 'Made up by the platform when nobody sets it' })
  generated: boolean;
}

/** A place where a port listens. */
export class PortEndpointDto {
  @ApiProperty({ example: 'sql' })
  name: string;
  @ApiProperty({ enum: ['http', 'tcp'], example: 'tcp' })
  protocol: 'http' | 'tcp';
  @ApiPropertyOptional({ type: 'integer', example: 5432, description: 'The network port that the software uses by custom' })
  default?: number;
}

/** A port in a list. */
export class PortDto {
  @ApiProperty({ example: 'postgres' })
  name: string;
  @ApiProperty({ example: 'PostgreSQL' })
  title: string;
  @ApiProperty({ example: 'The relational database' })
  description: string;
  @ApiProperty({ example: 'databases' })
  category: string;
  @ApiProperty({ enum: ['toolchain', 'service', 'app'], example: 'service' })
  kind: 'toolchain' | 'service' | 'app';
  @ApiProperty({ type: [String], example: ['18', '17', '15', '13'], description: 'Versions that can be installed, newest first' })
  versions: string[];

  static from(port: Port): PortDto {
    const { title, description, category, hithe } = port.manifest;
    return { name: port.name, title, description, category, kind: hithe.kind, versions: port.versions };
  }
}

/** All that a project's author has to know of a port. */
export class PortDetailDto extends PortDto {
  @ApiProperty({ type: [PortVarDto], description: 'What a component can set' })
  vars: PortVarDto[];
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: { type: 'object', properties: { POSTGRES_DB: { type: 'string' } } },
    description: 'JSON Schema 2020-12 of `vars`',
  })
  varsSchema: Record<string, unknown>;
  @ApiProperty({ type: [String], example: ['POSTGRES_URL'], description: 'What dependants can read, as ${component.NAME} in env' })
  exports: string[];
  @ApiProperty({ type: [PortEndpointDto], description: 'Where it listens' })
  endpoints: PortEndpointDto[];
  @ApiProperty({ enum: ['none', 'optional', 'required'], example: 'none', description: 'Whether a component brings code' })
  source: 'none' | 'optional' | 'required';
  @ApiProperty({ example: true, description: 'Whether it keeps data' })
  stateful: boolean;

  static override from(port: Port): PortDetailDto {
    const { hithe } = port.manifest;
    const summary: Pick<PortDto, keyof PortDto> = PortDto.from(port);
    return {
      ...summary,
      vars: port.vars.map((entry) => ({
        name: entry.name,
        description: entry.description,
        type: entry.type,
        required: entry.required,
        ...(entry.default === undefined || entry.secret ? {} : { default: entry.default }),
        secret: entry.secret,
        generated: entry.generate !== undefined,
      })),
      varsSchema: port.varsSchema,
      exports: hithe.exports,
      endpoints: Object.entries(hithe.endpoints).map(([name, endpoint]) => ({
        name,
        protocol: endpoint.protocol,
        ...(endpoint.default === undefined ? {} : { default: endpoint.default }),
      })),
      source: hithe.source,
      stateful: hithe.stateful,
    };
  }
}

/** All ports; there are few enough for one page. */
export class PortPageDto {
  @ApiProperty({ type: [PortDto], description: 'By name' })
  items: PortDto[];
  @ApiProperty({ type: String, nullable: true, example: null, description: 'Always null' })
  nextCursor: string | null;
}
