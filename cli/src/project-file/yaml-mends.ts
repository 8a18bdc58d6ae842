import type { YAMLError } from 'yaml';

/** What a fault of the YAML means for its writer, and how to mend it. */
export function mendOf(problem: YAMLError, text: string): { message: string; fix: string } {
  switch (problem.code) {
    case 'DUPLICATE_KEY':
      return {
        message: `The key "${keyAt(text, problem.pos[0])}" is here a second time.`,
        fix: 'Rename one of the two, or remove it; YAML keys are unique within their mapping.',
      };
    case 'TAB_AS_INDENT':
      return { message: 'This line is indented with a tab.', fix: 'Indent with spaces; YAML does not allow tabs.' };
    case 'BAD_INDENT':
      if (problem.message.startsWith('Flow'))
        return { message: 'A "{" or "[" before this is not closed.', fix: 'Add the missing "}" or "]".' };
      return {
        message: problem.message,
        fix: 'Line it up with its siblings: two spaces per level, and the same for all keys of one mapping.',
      };
    case 'MISSING_CHAR':
      return { message: problem.message, fix: 'Add the missing character: a closing quote, "}" or "]", or the ":" after a key.' };
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'MULTILINE_IMPLICIT_KEY':
    case 'BLOCK_IN_FLOW':
      return {
        message: problem.message,
        fix: 'Check the line before: a ":" without a space after it, or a nested mapping on one line; use {a: 1} for that.',
      };
    case 'BAD_SCALAR_START':
      return { message: problem.message, fix: 'Put the value in quotes.' };
    case 'BAD_ALIAS':
      return { message: problem.message, fix: 'Put the value in quotes, or define the anchor (&name) before it is used.' };
    case 'MULTIPLE_DOCS':
      return { message: 'The file holds more than one document.', fix: 'Keep one project per file: remove the "---".' };
    case 'UNEXPECTED_TOKEN':
      return { message: problem.message, fix: 'Check quotes, brackets and indentation on this line and the one before.' };
    default:
      return { message: problem.message, fix: 'See examples/guestbook/hithe.yaml for the form of the file.' };
  }
}

function keyAt(text: string, offset: number): string {
  return /^["']?([^"':\s]+)/.exec(text.slice(offset, offset + 80))?.[1] ?? '';
}
