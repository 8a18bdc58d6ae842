/** The message of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  const message = property(thrown, 'message');
  return typeof message === 'string' ? message : String(thrown);
}

/** The stack of whatever was thrown, or its message. */
export function stackOf(thrown: unknown): string {
  const stack = property(thrown, 'stack');
  return typeof stack === 'string' ? stack : messageOf(thrown);
}

/** The `code` of an error of Node or of a driver: `ENOENT`, `40001`. */
export function codeOf(thrown: unknown): string | undefined {
  const code = property(thrown, 'code');
  return typeof code === 'string' ? code : undefined;
}

/** One property of whatever was thrown. Structural, because `instanceof Error` is false for errors of another realm. */
function property(thrown: unknown, name: 'message' | 'stack' | 'code'): unknown {
  return typeof thrown === 'object' && thrown !== null ? (thrown as Record<string, unknown>)[name] : undefined;
}
