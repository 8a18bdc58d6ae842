import { parse } from 'dotenv';
import { DomainError } from '../../../common/domain-error.js';

const QUOTED = /(=\s*)(['"`])(?:\\\2|(?!\2)[\s\S])*\2/g;

/** Lines after which a value must still read the same: a backslash at its end would swallow the quote of the next. */
const FOLLOWERS = `_1='#'\n_2="#"\n_3=\`#\`\n`;

/** The variables of a `.env` file, as the `dotenv` library reads it. A line that says nothing to it is refused, not dropped. */
export function parseDotenv(text: string): Record<string, string> {
  const lines = text.replaceAll(QUOTED, (whole, head: string) => `${head}x${'\n'.repeat(whole.split('\n').length - 1)}`).split('\n');
  const faults = lines.flatMap((line, index) => {
    const content = line.trim();
    if (content === '' || content.startsWith('#') || /^(?:export\s+)?[\w.-]+\s*(?:=|:\s)/.test(content)) return [];
    return [
      {
        path: `text, line ${index + 1}`,
        code: 'DOTENV_LINE',
        message: 'This line is neither NAME=value nor a comment.',
        fix: 'Write NAME=value; put a value of several lines in double quotes.',
      },
    ];
  });
  if (faults.length > 0) throw new DomainError('invalid', 'DOTENV_INVALID', 'The file cannot be read as a .env file.', { faults });
  return parse(text);
}

/** A `.env` file with these variables in their order, which reads back the same; names whose value no such file can hold are returned apart. */
export function formatDotenv(variables: Readonly<Record<string, string>>): { text: string; unwritable: string[] } {
  const lines: string[] = [];
  const unwritable: string[] = [];
  for (const [name, value] of Object.entries(variables)) {
    const line = candidates(value)
      .map((written) => `${name}=${written}`)
      .find((candidate) => parse(`${candidate}\n${FOLLOWERS}`)[name] === value);
    if (line === undefined) unwritable.push(name);
    else lines.push(line);
  }
  return { text: lines.map((line) => `${line}\n`).join(''), unwritable };
}

function candidates(value: string): string[] {
  const bare = /^[A-Za-z0-9_./:@%+,=-]+$/.test(value) ? [value] : [];
  const escaped = value.replaceAll('\r', '\\r').replaceAll('\n', '\\n');
  return [...bare, `'${value}'`, `"${escaped}"`, `"${value}"`, `\`${value}\``, ...(/[\r\n]/.test(value) ? [] : [value])];
}
