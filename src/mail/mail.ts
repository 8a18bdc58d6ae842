/** A letter to one person, in plain text. */
export interface Mail {
  to: string;
  subject: string;
  text: string;
}

/** What somebody else wrote (a team's name, an address), fit for one line of a mail. */
export function inOneLine(text: string): string {
  return text
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .slice(0, 200);
}
