import { describe, expect, it } from '@jest/globals';
import { sanitizeLine } from './sanitize.js';

describe('sanitizeLine', () => {
  it('leaves ordinary text and tabs alone', () => {
    expect(sanitizeLine('größe\t→ 10 %', true)).toBe('größe\t→ 10 %');
  });

  it('keeps colours and ends them with the line, or drops them', () => {
    expect(sanitizeLine('\u001b[31mred', true)).toBe('\u001b[31mred\u001b[0m');
    expect(sanitizeLine('\u001b[1;38;5;200mred\u001b[0m', false)).toBe('red');
  });

  it.each([
    ['clearing the screen', 'a\u001b[2Jb', 'a\\x1b[2Jb'],
    ['setting the title', '\u001b]0;root@host\u0007', '\\x1b]0;root@host\\x07'],
    ['8-bit sequences', '\u009b2J', '\\x9b2J'],
    ['overwriting the line', 'safe\rforged', 'safe\\rforged'],
    ['a second line', 'a\nweb | forged', 'a\\nweb | forged'],
    ['reordering text', 'a\u202eb', 'a\\u202eb'],
  ])('shows what would be %s', (_what, text, shown) => {
    expect(sanitizeLine(text, true)).toBe(shown);
  });
});
