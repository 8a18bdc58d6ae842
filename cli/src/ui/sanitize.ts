/** An SGR sequence (colour, bold, …): the only escape sequence that cannot do harm. */
const SGR = String.raw`\u001b\[[0-9;:]*m`;
/** C0 and C1 control characters but tab, and the characters that reorder or break lines. */
const CONTROL = String.raw`[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]`;
const TOKENS = new RegExp(`${SGR}|${CONTROL}`, 'gu');
const RESET = '\u001b[0m';

/**
 * A line that a program wrote, made safe to print: control characters become visible (`\x1b`), so that a log cannot move
 * the cursor, set the title or forge another line. Colours stay when `colors` is set, and end with the line.
 */
export function sanitizeLine(text: string, colors: boolean): string {
  const safe = text.replace(TOKENS, (token) => {
    if (token.length === 1) return visible(token);
    return colors ? token : '';
  });
  return safe.includes('\u001b') ? safe + RESET : safe;
}

/** Whether there is nothing in it but characters that are seen, and colours. */
export function isSafe(text: string): boolean {
  return [...text.matchAll(TOKENS)].every(([token]) => token.length > 1);
}

function visible(character: string): string {
  if (character === '\r') return '\\r';
  if (character === '\n') return '\\n';
  const code = character.charCodeAt(0).toString(16);
  return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u${code.padStart(4, '0')}`;
}
