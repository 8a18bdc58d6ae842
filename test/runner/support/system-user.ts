import { readFileSync } from 'node:fs';

/** Ids of a user of this machine. */
export function systemUser(name: string): { uid: number; gid: number } {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((text) => text.split(':'))
    .find(([user]) => user === name);
  if (!line) throw new Error(`There is no user ${name}.`);
  return { uid: Number(line[2]), gid: Number(line[3]) };
}
