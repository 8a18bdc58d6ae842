import { describe, expect, it } from '@jest/globals';
import { compareVersions, meetsConstraint } from './version.js';

describe('compareVersions', () => {
  it('orders by numbers, not by text', () => {
    expect(['9', '10', '3.2', '3.10', '3'].sort(compareVersions)).toEqual(['3', '3.2', '3.10', '9', '10']);
  });
});

describe('meetsConstraint', () => {
  it.each([
    ['17', '17', true],
    ['17', '1', false],
    ['3.2', '3', true],
    ['3.2', '=3.2', true],
    ['3.2', '3.20', false],
    ['17', '17.6', false],
    ['17', 'latest', true],
    ['17', '*', true],
    ['17', '>=15 <18', true],
    ['18', '>=15 <18', false],
    ['3.2', '<=3', true],
    ['3.2', '>3', false],
    ['24', 'v24', true],
  ])('%s meets %s: %s', (version, constraint, expected) => {
    expect(meetsConstraint(version, constraint)).toBe(expected);
  });

  it('does not guess what it cannot read', () => {
    expect(meetsConstraint('17', '~> 17')).toBeUndefined();
  });
});
