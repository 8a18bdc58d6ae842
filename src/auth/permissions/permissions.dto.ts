import { ApiProperty } from '@nestjs/swagger';
import type { Permissions } from './permissions.js';

const EXAMPLE_RULES = [
  ['create', 'Team'],
  ['read,read-logs', 'Project', { teamId: { $in: ['0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55'] } }],
  ['deploy,operate,update', 'Project', { teamId: { $in: ['0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55'] }, protected: false }],
];

/** What the caller may do. */
export class PermissionsDto {
  @ApiProperty({ example: 'f2vKx0cJ1bB0m6t3mJ5hPw', description: 'Changes when the rules do; also the ETag' })
  version: string;
  @ApiProperty({
    type: 'array',
    items: { type: 'array', items: {} },
    example: EXAMPLE_RULES,
    description:
      'CASL rules, packed: `createMongoAbility(unpackRules(rules))` of `@casl/ability` answers as the server does. Each is [actions, subject, conditions?]; a right that no rule gives is not there.',
  })
  rules: unknown[][];

  static from({ version, rules }: Permissions): PermissionsDto {
    return { version, rules: rules.map((rule) => [...rule]) };
  }
}
