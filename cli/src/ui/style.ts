import { createColors } from 'picocolors';
import type { Environment } from '../config/config-file.js';
import type { Output } from '../io.js';

export type Colors = ReturnType<typeof createColors>;
type Paint = (text: string) => string;

/** Colours for one output: on a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`; always with `FORCE_COLOR`. */
export function colorsFor(output: Output, env: Environment): Colors {
  return createColors(wantsColor(output, env));
}

function wantsColor(output: Output, env: Environment): boolean {
  if (isSet(env['NO_COLOR'])) return false;
  if (isSet(env['FORCE_COLOR'])) return env['FORCE_COLOR'] !== '0';
  return output.isTTY === true && env['TERM'] !== 'dumb';
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}

/** The colours in which components are told apart; red is left for errors. */
export function componentPaints(colors: Colors): Paint[] {
  return [
    colors.cyan,
    colors.green,
    colors.yellow,
    colors.magenta,
    colors.blue,
    colors.cyanBright,
    colors.greenBright,
    colors.yellowBright,
    colors.magentaBright,
  ];
}

/** Paints a state or health word: green is good, yellow is on its way, red is bad. */
export function paintState(colors: Colors, state: string): string {
  if (/^(running|healthy|succeeded|done|ok|ready|active)$/.test(state)) return colors.green(state);
  if (/^(failed|unhealthy|error|lost|rolled_back|crashed)$/.test(state)) return colors.red(state);
  if (/^(stopped|unknown|removed|new|none|-)$/.test(state)) return colors.dim(state);
  return colors.yellow(state);
}
