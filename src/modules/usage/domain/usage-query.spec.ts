import { describe, expect, it } from '@jest/globals';
import { csvLine } from '../../../common/csv.js';
import { spanOf } from './usage-query.js';

const NOW = new Date('2026-03-15T23:59:00Z');

describe('a span of usage', () => {
  it('is this month so far when nothing is said', () => {
    expect(spanOf(undefined, undefined, NOW)).toEqual({ from: '2026-03-01', to: '2026-03-15' });
    expect(spanOf(undefined, '2026-01-20', NOW)).toEqual({ from: '2026-01-01', to: '2026-01-20' });
    expect(spanOf('2026-02-10', undefined, NOW)).toEqual({ from: '2026-02-10', to: '2026-03-15' });
  });

  it('has one day at least and a year at most', () => {
    expect(spanOf('2026-03-15', '2026-03-15', NOW)).toEqual({ from: '2026-03-15', to: '2026-03-15' });
    expect(() => spanOf('2026-03-16', '2026-03-15', NOW)).toThrow('2026-03-16 is after 2026-03-15.');
    expect(() => spanOf('2024-01-01', '2026-03-15', NOW)).toThrow('366 at most');
  });
});

describe('a line of CSV', () => {
  it('quotes what needs it, and no cell is a formula', () => {
    expect(csvLine(['shop', 1.5, 'a "b", c', '=1+1'])).toBe('shop,1.5,"a ""b"", c","\'=1+1"');
  });
});
