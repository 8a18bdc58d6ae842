import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { PageQuery, pageDto } from '../../../http/pagination.js';
import { NAME_PATTERN } from '../../ports/domain/manifest.js';
import { REDACTED } from '../../projects/domain/project-spec.js';
import { LARGEST_VALUE_BYTES, MOST_VARIABLES } from '../../secrets/domain/variable-names.js';
import { PROJECT_SCOPE, VARIABLE_KINDS, VARIABLE_ORIGINS, type VariableKind, type VariableOrigin } from '../../secrets/domain/variable.js';
import { CHANGE_ACTIONS, type ChangeResult, type VariableChange } from '../variable-changes.js';
import type { ListedVariable, VersionEntry } from '../variable-listing.js';
import type { RevealedVariable } from '../variable-reveals.js';

const COMPONENT = {
  description: 'The component that alone gets them; absent: all components of the project that run your code',
  example: 'web',
};
const COMPONENT_RULE = { message: 'must be the name of a component' };

/** Which variables to list. */
export class VariableQuery {
  @ApiPropertyOptional({
    description: 'Everything that this component gets, wherever it comes from; absent: all that is set',
    example: 'web',
  })
  @IsOptional()
  @Matches(NAME_PATTERN, COMPONENT_RULE)
  component?: string;
}

/** The scope of one variable. */
export class VariableScopeQuery {
  @ApiPropertyOptional({ description: 'The component that it belongs to; absent: the project', example: 'web' })
  @IsOptional()
  @Matches(NAME_PATTERN, COMPONENT_RULE)
  component?: string;
}

/** The scope of one variable, and which of its versions. */
export class VariableHistoryQuery extends PageQuery {
  @ApiPropertyOptional({ description: 'The component that it belongs to; absent: the project', example: 'web' })
  @IsOptional()
  @Matches(NAME_PATTERN, COMPONENT_RULE)
  component?: string;
}

/** A value for a variable. */
export class VariableInputDto {
  @ApiProperty({ example: 'API_KEY', description: 'Letters, digits and "_"' })
  @IsString()
  @MaxLength(256)
  name: string;

  @ApiProperty({ example: 'sk_live_51H8', description: `At most ${LARGEST_VALUE_BYTES} bytes; of a reference: its address` })
  @IsString()
  value: string;

  @ApiPropertyOptional({
    enum: VARIABLE_KINDS,
    default: 'secret',
    example: 'secret',
    description:
      '`plain` is shown to whoever may see the project; `reference` names a secret of another keeper, e.g. vault:kv/hithe/acme/shop#api_key',
  })
  @IsOptional()
  @IsIn(VARIABLE_KINDS)
  kind: VariableKind = 'secret';
}

/** Variables to set, all at once or none. */
export class SetVariablesDto {
  @ApiPropertyOptional(COMPONENT)
  @IsOptional()
  @Matches(NAME_PATTERN, COMPONENT_RULE)
  component?: string;

  @ApiProperty({ type: [VariableInputDto], description: 'Those that are not named keep their values' })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_VARIABLES)
  @ValidateNested({ each: true })
  @Type(() => VariableInputDto)
  variables: VariableInputDto[];
}

/** A `.env` file to import. */
export class ImportVariablesDto {
  @ApiPropertyOptional(COMPONENT)
  @IsOptional()
  @Matches(NAME_PATTERN, COMPONENT_RULE)
  component?: string;

  @ApiProperty({ example: 'API_KEY=sk_live_51H8\nLEVEL=debug\n', description: 'Content of the file' })
  @IsString()
  text: string;

  @ApiPropertyOptional({
    enum: ['plain', 'secret'],
    default: 'secret',
    example: 'secret',
    description: 'Kind of those that are new; others keep theirs',
  })
  @IsOptional()
  @IsIn(['plain', 'secret'])
  kind: 'plain' | 'secret' = 'secret';

  @ApiPropertyOptional({ type: Boolean, default: false, example: false, description: 'Removes whatever the file does not name' })
  @IsOptional()
  @IsBoolean()
  prune = false;

  @ApiPropertyOptional({ type: Boolean, default: false, example: true, description: 'Only says what would change' })
  @IsOptional()
  @IsBoolean()
  dryRun = false;
}

/** Which variables to reveal. */
export class RevealVariablesDto {
  @ApiPropertyOptional({ description: 'Everything that this component gets; absent: the variables of the project', example: 'web' })
  @IsOptional()
  @Matches(NAME_PATTERN, COMPONENT_RULE)
  component?: string;

  @ApiPropertyOptional({ type: [String], example: ['API_KEY'], description: 'Absent: all secrets' })
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_VARIABLES)
  @IsString({ each: true })
  names?: string[];
}

/** Whose variables to export. */
export class ExportVariablesDto {
  @ApiPropertyOptional({ description: 'The component whose own variables are wanted; absent: those of the project', example: 'web' })
  @IsOptional()
  @Matches(NAME_PATTERN, COMPONENT_RULE)
  component?: string;
}

/** Somebody who set a variable. */
export class VariableAuthorDto {
  @ApiProperty({ format: 'uuid', example: '0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55' })
  id: string;
  @ApiProperty({ type: String, nullable: true, example: 'dana@example.org', description: 'Null when the account is gone' })
  email: string | null;
}

const AUTHOR = {
  type: VariableAuthorDto,
  nullable: true,
  description: 'Who set it; null for what hithe.yaml or the platform gives',
} as const;
const VALUE = {
  type: String,
  nullable: true,
  example: REDACTED,
  description: `A plain text or the address of a reference; ${REDACTED} stands for every secret`,
} as const;

/** A variable, without the text of a secret. */
export class VariableDto {
  @ApiProperty({ example: 'API_KEY' })
  name: string;
  @ApiProperty({ type: String, nullable: true, example: 'web', description: 'The component that it belongs to; null: the project' })
  component: string | null;
  @ApiProperty({ enum: VARIABLE_KINDS, example: 'secret', description: 'What it holds' })
  kind: VariableKind;
  @ApiProperty({
    enum: VARIABLE_ORIGINS,
    example: 'component',
    description: 'Where the value comes from; the first of these that has one wins',
  })
  origin: VariableOrigin;
  @ApiProperty(VALUE)
  value: string | null;
  @ApiProperty({ type: 'integer', nullable: true, example: 3, description: 'Null for plain texts of hithe.yaml' })
  version: number | null;
  @ApiProperty(AUTHOR)
  setBy: VariableAuthorDto | null;
  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: '2026-03-01T12:00:00.000Z', description: 'When it was set' })
  setAt: string | null;
  @ApiProperty({ enum: VARIABLE_ORIGINS, isArray: true, example: ['file'], description: 'Origins whose value this one hides' })
  overrides: VariableOrigin[];
  @ApiProperty({
    type: Boolean,
    nullable: true,
    example: true,
    description: 'Whether what runs has this version; false: it takes effect with the next deploy; null: nothing runs that it reaches',
  })
  inUse: boolean | null;

  static from({ component, kind, value, setAt, ...rest }: ListedVariable): VariableDto {
    return {
      ...rest,
      kind,
      component: component === PROJECT_SCOPE ? null : component,
      value: kind === 'secret' ? REDACTED : value,
      setAt: setAt?.toISOString() ?? null,
    };
  }
}

/** All variables that were asked for. */
export class VariablePageDto extends pageDto(VariableDto) {}

/** A variable with its text. */
export class RevealedVariableDto {
  @ApiProperty({ example: 'API_KEY' })
  name: string;
  @ApiProperty({ type: String, nullable: true, example: 'web', description: 'The component that it belongs to; null: the project' })
  component: string | null;
  @ApiProperty({ enum: VARIABLE_KINDS, example: 'secret', description: 'What it holds' })
  kind: VariableKind;
  @ApiProperty({ enum: VARIABLE_ORIGINS, example: 'component', description: 'Where the value comes from' })
  origin: VariableOrigin;
  @ApiProperty({ type: 'integer', nullable: true, example: 3 })
  version: number | null;
  @ApiProperty({
    type: String,
    nullable: true,
    example: 'sk_live_51H8',
    description: 'The text; null for a reference that no deploy has read yet',
  })
  value: string | null;

  static from({ name, component, kind, origin, version, text }: RevealedVariable): RevealedVariableDto {
    return { name, component: component === PROJECT_SCOPE ? null : component, kind, origin, version, value: text };
  }
}

/** What was revealed. */
export class RevealedVariablesDto extends pageDto(RevealedVariableDto) {}

/** A `.env` file. */
export class ExportedVariablesDto {
  @ApiProperty({ example: "API_KEY='sk_live_51H8'\n", description: 'Content of the file' })
  text: string;
  @ApiProperty({ type: 'integer', example: 1, description: 'How many variables are in it' })
  count: number;
}

/** What happened, or would happen, to one variable. */
export class VariableChangeDto {
  @ApiProperty({ example: 'API_KEY' })
  name: string;
  @ApiProperty({ type: String, nullable: true, example: 'web', description: 'The component that it belongs to; null: the project' })
  component: string | null;
  @ApiProperty({ enum: VARIABLE_KINDS, example: 'secret' })
  kind: VariableKind;
  @ApiProperty({ enum: CHANGE_ACTIONS, example: 'changed', description: 'What happened' })
  action: VariableChange['action'];
  @ApiPropertyOptional({ type: 'integer', example: 3, description: 'The version that counts now' })
  version?: number;
}

/** What was changed. */
export class VariableChangesDto {
  @ApiProperty({ type: [VariableChangeDto], description: 'One entry for each variable that was named' })
  changes: VariableChangeDto[];
  @ApiProperty({ example: true, description: 'Whether something is different now; it takes effect with the next deploy' })
  changed: boolean;

  static from({ changes }: ChangeResult): VariableChangesDto {
    return {
      changes: changes.map(({ component, ...change }) => ({ ...change, component: component === PROJECT_SCOPE ? null : component })),
      changed: changes.some(({ action }) => action !== 'unchanged'),
    };
  }
}

/** One version of a variable. */
export class VariableVersionDto {
  @ApiProperty({ type: 'integer', example: 3 })
  version: number;
  @ApiProperty({ enum: [...VARIABLE_KINDS, 'removed'], example: 'secret', description: '`removed`: it was taken away' })
  kind: VersionEntry['kind'];
  @ApiProperty(VALUE)
  value: string | null;
  @ApiProperty(AUTHOR)
  setBy: VariableAuthorDto | null;
  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z', description: 'When it was set' })
  setAt: string;

  static from({ version, kind, value, setBy, at }: VersionEntry): VariableVersionDto {
    return { version, kind, value: kind === 'secret' ? REDACTED : value, setBy, setAt: at.toISOString() };
  }
}

/** Versions of a variable. */
export class VariableVersionPageDto extends pageDto(VariableVersionDto) {}
