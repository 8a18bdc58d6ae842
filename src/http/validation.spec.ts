import 'reflect-metadata';
import { Type } from 'class-transformer';
import { IsArray, IsInt, IsString, ValidateNested } from 'class-validator';
import { describe, expect, it } from '@jest/globals';
import type { DomainError } from '../common/domain-error.js';
import { validationPipe } from './validation.js';

class Inner {
  @IsString()
  name: string;
}

class Outer {
  @IsInt()
  size: number;
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => Inner)
  parts: Inner[];
}

async function faultsOf(body: unknown): Promise<DomainError['faults']> {
  try {
    await validationPipe().transform(body, { type: 'body', metatype: Outer });
    return [];
  } catch (error) {
    return (error as DomainError).faults;
  }
}

describe('validation', () => {
  it('accepts what the DTO declares', async () => {
    expect(await faultsOf({ size: 1, parts: [{ name: 'a' }] })).toEqual([]);
  });

  it('names the place of each fault, however deep', async () => {
    const faults = await faultsOf({ size: 'x', parts: [{ name: 'a' }, { name: 1 }] });
    expect(faults.map((fault) => [fault.path, fault.code])).toEqual([
      ['size', 'IS_INT'],
      ['parts[1].name', 'IS_STRING'],
    ]);
  });

  it('refuses what the DTO does not declare', async () => {
    expect(await faultsOf({ size: 1, parts: [{ name: 'a', role: 'admin' }], teamId: 'x' })).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ path: 'teamId', code: 'UNKNOWN_FIELD' }),
        expect.objectContaining({ path: 'parts[0].role', code: 'UNKNOWN_FIELD' }),
      ]),
    );
  });
});
