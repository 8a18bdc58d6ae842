import type { LogLine } from '@hithe/client';
import type { Context } from '../context.js';
import { sanitizeLine } from './sanitize.js';
import { componentPaints } from './style.js';

/** Prints log lines: on a terminal made safe and with each component in its own colour, elsewhere without any escape sequence. */
export class LogPrinter {
  private readonly paints: ((text: string) => string)[];
  private readonly names = new Map<string, number>();
  private width = 0;

  constructor(
    private readonly context: Context,
    private readonly options: { prefix: boolean; timestamps: boolean },
  ) {
    this.paints = componentPaints(context.colors);
  }

  print(line: LogLine): void {
    if (this.context.json) {
      this.context.print(JSON.stringify(line));
      return;
    }
    const { colors } = this.context;
    const stamp = this.options.timestamps ? `${colors.dim(line.at)} ` : '';
    const prefix = this.options.prefix ? this.prefixOf(line.component) : '';
    this.context.print(`${stamp}${prefix}${sanitizeLine(line.text, colors.isColorSupported)}`);
  }

  private prefixOf(component: string): string {
    const index = this.names.get(component) ?? this.names.size;
    this.names.set(component, index);
    this.width = Math.max(this.width, component.length);
    const paint = this.paints[index % this.paints.length] ?? String;
    return `${paint(`${component.padEnd(this.width)} |`)} `;
  }
}
