import { DefaultNamingStrategy, type NamingStrategyInterface, Table, type View } from 'typeorm';

const snake = (name: string): string => name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();

/**
 * snake_case columns, and constraint names that people can read in an error:
 * `pk_users`, `uq_users_email`, `fk_memberships_team_id`, `ix_memberships_user_id`.
 */
export class HitheNamingStrategy extends DefaultNamingStrategy implements NamingStrategyInterface {
  override columnName(propertyName: string, customName: string | undefined, embeddedPrefixes: string[]): string {
    return [...embeddedPrefixes.map(snake), customName ?? snake(propertyName)].filter((part) => part !== '').join('_');
  }

  override joinColumnName(relationName: string, referencedColumnName: string): string {
    return `${snake(relationName)}_${snake(referencedColumnName)}`;
  }

  override primaryKeyName(table: Table | string): string {
    return `pk_${tableNameOf(table)}`;
  }

  override uniqueConstraintName(table: Table | string, columns: string[]): string {
    return named('uq', table, columns);
  }

  override relationConstraintName(table: Table | string, columns: string[]): string {
    return named('uq', table, columns);
  }

  override foreignKeyName(table: Table | string, columns: string[]): string {
    return named('fk', table, columns);
  }

  override indexName(table: Table | View | string, columns: string[]): string {
    return named('ix', table, columns);
  }
}

function named(prefix: string, table: Table | View | string, columns: string[]): string {
  return [prefix, tableNameOf(table), ...columns].join('_');
}

function tableNameOf(table: Table | View | string): string {
  const name = typeof table === 'string' ? table : table.name;
  return name.split('.').at(-1) ?? name;
}
