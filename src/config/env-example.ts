import { Config } from './config.js';
import { type DeclaredVariable, declarationsOf } from './env.decorator.js';

const HEADER = `# Configuration of Hithe. Every variable is optional; the values here are examples, and what applies otherwise is said above each.
# Generated from src/config/config.ts by 'npm run generate'.
`;

/** The text of `.env.example`. */
export function envExample(): string {
  return [HEADER, ...declarationsOf(Config.prototype).map(describe)].join('\n');
}

function describe(variable: DeclaredVariable): string {
  return `# ${variable.description}\n# Default: ${defaultOf(variable)}.\n#${variable.name}=${quoted(variable.example)}\n`;
}

function defaultOf(variable: DeclaredVariable): string {
  if (variable.defaultDescription !== undefined) return variable.defaultDescription;
  return variable.default === undefined || variable.default === '' ? 'none' : variable.default;
}

function quoted(value: string): string {
  return /[\s#'"]/.test(value) ? JSON.stringify(value) : value;
}
