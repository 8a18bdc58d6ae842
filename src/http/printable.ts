import { Matches } from 'class-validator';

/** No control characters, no line breaks of Unicode, and nothing that turns the direction of writing. */
const PRINTABLE = /^[^\p{Cc}\u2028-\u202e\u2066-\u2069]*$/u;

/** The text of one line that people give to a thing: no escape sequence or line end in it can forge a line of a log or of a terminal. */
export function IsPrintable(): PropertyDecorator {
  return Matches(PRINTABLE, { message: '$property must be one line without control characters' });
}
