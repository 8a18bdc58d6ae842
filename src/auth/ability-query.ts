import { rulesToCondition } from '@casl/ability/extra';
import type { ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import type { Action, AppAbility, SubjectName } from './ability.js';
import type { Actor } from './actor.js';

/** A condition in SQL with its named parameters. */
export interface SqlCondition {
  sql: string;
  parameters: Record<string, unknown>;
}

/**
 * Restricts a list query to the rows on which `actor` may do `action`. `columns` says which column holds an attribute of the
 * subject; absent: the property of the same name of the query's main alias.
 */
export function whereAllowed<E extends ObjectLiteral>(
  query: SelectQueryBuilder<E>,
  actor: Pick<Actor, 'ability'>,
  action: Action,
  subject: SubjectName,
  columns: Readonly<Record<string, string>> = {},
): SelectQueryBuilder<E> {
  const { sql, parameters } = abilityToSql(
    actor.ability,
    action,
    subject,
    (attribute) => columns[attribute] ?? `${query.alias}.${attribute}`,
  );
  return query.andWhere(sql, parameters);
}

/** The rows on which an ability allows `action`, as SQL. No rule: no rows. */
export function abilityToSql(
  ability: AppAbility,
  action: Action,
  subject: SubjectName,
  columnOf: (attribute: string) => string,
): SqlCondition {
  const parameters: Record<string, unknown> = {};
  const bind = (value: unknown): string => {
    const name = `ability${Object.keys(parameters).length}`;
    parameters[name] = value;
    return `:${name}`;
  };
  const sql = rulesToCondition<AppAbility, string, string>(
    ability.rulesFor(action, subject),
    (rule) => {
      const own = conditionToSql(rule.conditions, columnOf, bind);
      return rule.inverted ? `NOT (${own})` : own;
    },
    { and: (all) => `(${all.join(' AND ')})`, or: (any) => `(${any.join(' OR ')})`, empty: () => 'TRUE' },
  );
  return { sql: sql ?? 'FALSE', parameters };
}

function conditionToSql(
  conditions: Record<string, unknown> | undefined,
  columnOf: (attribute: string) => string,
  bind: (value: unknown) => string,
): string {
  const parts = Object.entries(conditions ?? {}).map(([attribute, wanted]) => {
    const column = columnOf(attribute);
    if (typeof wanted !== 'object' || wanted === null) return `${column} = ${bind(wanted)}`;
    if ('$in' in wanted && Object.keys(wanted).length === 1) return `${column} = ANY(${bind(wanted.$in)})`;
    if ('$nin' in wanted && Object.keys(wanted).length === 1) return `NOT (${column} = ANY(${bind(wanted.$nin)}))`;
    throw new TypeError(`A rule's condition on "${attribute}" cannot be asked of the database: ${JSON.stringify(wanted)}`);
  });
  return parts.length === 0 ? 'TRUE' : parts.join(' AND ');
}
