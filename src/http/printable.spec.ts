import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { validateSync } from 'class-validator';
import { IsPrintable } from './printable.js';

class Named {
  @IsPrintable()
  name: string;

  constructor(name: string) {
    this.name = name;
  }
}

describe('a name for people', () => {
  it.each(['Harbour crew', 'Ünïcode 港', '🚢', "Dana's “team”", ''])('may be %j', (name) => {
    expect(validateSync(new Named(name))).toEqual([]);
  });

  it.each(['a\nb', 'a\r\nSet-Cookie: x', '\u001b[31mred', 'a\u0000', 'a\u009b2J', 'a\u202eb', 'a\u2028b', '\u0007'])(
    'R38: may not be %j',
    (name) => {
      expect(validateSync(new Named(name))).toHaveLength(1);
    },
  );
});
