import { describe, expect, it } from '@jest/globals';
import { columns } from './columns.js';
import { nearest } from './suggest.js';
import { age, duration } from './time.js';

describe('columns', () => {
  it('aligns cells, not counting colour codes', () => {
    expect(
      columns([
        ['A', 'B'],
        ['\u001b[32mlong\u001b[39m', 'x'],
        ['s', ''],
      ]),
    ).toBe('A     B\n\u001b[32mlong\u001b[39m  x\ns\n');
  });

  it('R38: makes control characters of a cell visible, so that a name forges no line', () => {
    expect(
      columns([
        ['a\r\nroot  owner', '\u001b]0;title\u0007\u001b[1A'],
        ['b', 'c'],
      ]),
    ).toBe('a\\r\\nroot  owner  \\x1b]0;title\\x07\\x1b[1A\nb                 c\n');
  });
});

describe('nearest', () => {
  it('finds the word that was meant', () => {
    expect(nearest('gestbook', ['node-red', 'guestbook'])).toBe('guestbook');
  });
  it('suggests nothing for a word that is like none', () => {
    expect(nearest('zebra', ['guestbook', 'node-red'])).toBeUndefined();
  });
});

describe('duration', () => {
  it.each([
    [0, '0 ms'],
    [950, '950 ms'],
    [12_340, '12.3 s'],
    [125_000, '2 m 5 s'],
    [3 * 3_600_000 + 60_000, '3 h 1 m'],
    [4 * 86_400_000, '4 d'],
  ])('%d ms is %s', (milliseconds, text) => {
    expect(duration(milliseconds)).toBe(text);
  });
  it('shows a dash for a time that is not known', () => {
    expect(age(undefined)).toBe('-');
  });
});
