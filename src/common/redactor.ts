/** Stands for a secret in a text. */
export const MASK = '••••••••';

/** Shorter values would blank out half of every text, and are no secrets worth the name. */
const SHORTEST = 8;
/** Longer values are looked for piece by piece: nobody prints them on one line. */
const PIECE = 1_024;

/** Blanks out known secrets in what is reported: as they are, line by line, and as URLs, JSON and base64 write them. */
export class Redactor {
  private readonly pattern: RegExp | undefined;

  constructor(secrets: Iterable<string>) {
    const forms = new Set([...secrets].flatMap(formsOf));
    // The longest first, so that nothing is left of one that holds another.
    const ordered = [...forms].sort((a, b) => b.length - a.length);
    if (ordered.length > 0) this.pattern = new RegExp(ordered.map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'), 'g');
  }

  mask(text: string): string {
    return this.pattern === undefined ? text : text.replace(this.pattern, MASK);
  }
}

function formsOf(secret: string): string[] {
  const lines = secret.split(/\r?\n/).flatMap(pieces);
  const json = JSON.stringify(secret).slice(1, -1);
  return [
    ...lines,
    ...pieces(encodeURIComponent(secret)),
    ...pieces(json),
    ...pieces(Buffer.from(secret).toString('base64').replace(/=+$/, '')),
  ].filter((form) => form.trim().length >= SHORTEST);
}

function pieces(text: string): string[] {
  const parts: string[] = [];
  for (let at = 0; at < text.length; at += PIECE) parts.push(text.slice(at, at + PIECE));
  return parts;
}
