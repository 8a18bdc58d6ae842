import { ApiProperty } from '@nestjs/swagger';
import { GRANTED_ROWS, ROLE_TABLE, TABLE_ROLES, type TableRole, type TableRow, cellText } from '../../../auth/role-table.js';

/** One line of the role table. */
export class RoleTableRowDto {
  @ApiProperty({ example: 'deploy' })
  id: string;
  @ApiProperty({ example: 'deploy, start, stop, rollback, restart, snapshot', description: 'What the line is about' })
  title: string;
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'array', items: { type: 'string' } },
    example: { Project: ['deploy', 'operate', 'update'] },
    description: 'The actions of the line, by kind of thing',
  })
  rights: Record<string, string[]>;
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string' },
    example: { owner: '✓', developer: '✓; a protected project by list', viewer: '' },
    description: 'What each role may do with it, in words; empty: nothing',
  })
  cells: Record<string, string>;

  static from(row: TableRow): RoleTableRowDto {
    return {
      id: row.id,
      title: row.title,
      rights: Object.fromEntries(Object.entries(row.rights).map(([subject, actions]) => [subject, [...actions]])),
      cells: Object.fromEntries(TABLE_ROLES.map((role) => [role, cellText(row.cells[role])])),
    };
  }
}

/** Who may do what. */
export class RoleTableDto {
  @ApiProperty({ enum: TABLE_ROLES, enumName: 'TableRole', isArray: true, example: TABLE_ROLES, description: 'The columns' })
  roles: readonly TableRole[];
  @ApiProperty({ type: [RoleTableRowDto], description: 'The table' })
  rows: RoleTableRowDto[];
  @ApiProperty({ type: [RoleTableRowDto], description: 'What the table takes for granted' })
  granted: RoleTableRowDto[];

  static current(): RoleTableDto {
    return {
      roles: TABLE_ROLES,
      rows: ROLE_TABLE.map((row) => RoleTableRowDto.from(row)),
      granted: GRANTED_ROWS.map((row) => RoleTableRowDto.from(row)),
    };
  }
}
