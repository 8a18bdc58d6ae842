import { type Type as Class } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, Min } from 'class-validator';
import type { ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { DomainError } from '../common/domain-error.js';

const DEFAULT_LIMIT = 50;
const LARGEST_LIMIT = 200;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The query of every list: where to go on, and how many. Extend it with a list's own filters. */
export class PageQuery {
  @ApiPropertyOptional({
    description: 'The `nextCursor` of the page before; absent for the first page',
    example: 'MDE5OWE3YzItNWMzZS03YjJhLTlkNTMtMGE0YTFmMGM3YzU1',
  })
  @IsOptional()
  @IsString()
  cursor?: string;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'Most items to return',
    minimum: 1,
    maximum: LARGEST_LIMIT,
    default: DEFAULT_LIMIT,
    example: DEFAULT_LIMIT,
  })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(LARGEST_LIMIT)
  limit: number = DEFAULT_LIMIT;
}

/** One page of a list. */
export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** Base class of a list's answer: `export class TeamPageDto extends pageDto(TeamDto) {}`. */
export function pageDto<T>(item: Class<T>): Class<Page<T>> {
  class PageDto implements Page<T> {
    @ApiProperty({ type: [item], description: 'The items of this page, in order' })
    items: T[];

    @ApiProperty({ type: String, nullable: true, description: 'Pass it as `cursor` for the next page; null at the end', example: null })
    nextCursor: string | null;
  }
  return PageDto;
}

/**
 * One page of `query`, ordered by id (which is by creation, ids being UUID version 7). The alias must be the main one.
 */
export async function pageOf<E extends ObjectLiteral & { id: string }>(
  query: SelectQueryBuilder<E>,
  page: PageQuery,
  order: 'ASC' | 'DESC' = 'ASC',
): Promise<Page<E>> {
  const id = `${query.alias}.id`;
  if (page.cursor !== undefined) query.andWhere(`${id} ${order === 'ASC' ? '>' : '<'} :cursor`, { cursor: decodeCursor(page.cursor) });
  const rows = await query
    .orderBy(id, order)
    .take(page.limit + 1)
    .getMany();
  const items = rows.slice(0, page.limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > page.limit && last ? encodeCursor(last.id) : null };
}

/**
 * One page of what `read` gives from a place on, for statements that are written by hand; `idOf` names an item's place. One more
 * than the page holds is asked for, to know whether there is a next one.
 */
export async function pageOfRows<T>(
  page: PageQuery,
  read: (after: string | undefined, limit: number) => Promise<T[]>,
  idOf: (item: T) => string,
): Promise<Page<T>> {
  const rows = await read(page.cursor === undefined ? undefined : decodeCursor(page.cursor), page.limit + 1);
  const items = rows.slice(0, page.limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > page.limit && last !== undefined ? encodeCursor(idOf(last)) : null };
}

/** The same page with each item turned into its DTO. */
export function mapPage<A, B>(page: Page<A>, map: (item: A) => B): Page<B> {
  return { items: page.items.map(map), nextCursor: page.nextCursor };
}

/** Opaque text that stands for a place in a list. */
export function encodeCursor(id: string): string {
  return Buffer.from(id).toString('base64url');
}

/** The place that a cursor stands for, or `CURSOR_INVALID`. */
export function decodeCursor(cursor: string): string {
  const id = Buffer.from(cursor, 'base64url').toString('utf8');
  if (UUID.test(id)) return id;
  throw cursorInvalid();
}

/** The error of a cursor that no list gave out. */
export function cursorInvalid(): DomainError {
  return new DomainError('invalid', 'CURSOR_INVALID', 'This cursor is not one that the API gave out.', {
    faults: [{ path: 'cursor', code: 'CURSOR_INVALID', message: 'unknown cursor', fix: 'Start again without a cursor.' }],
  });
}
