import type { Deployment, DeploymentStep } from '@hithe/client';
import type { Output } from '../io.js';
import { widthOf } from './columns.js';
import { sanitizeLine } from './sanitize.js';
import type { Colors } from './style.js';
import { between, duration } from './time.js';

/** Shows how a deployment goes on. `finish` leaves what was shown in place. */
export interface Progress {
  step(step: DeploymentStep): void;
  log(component: string, text: string): void;
  note(text: string): void;
  finish(): void;
}

/** Whether two reports of one step say the same. */
function isNews(before: DeploymentStep | undefined, now: DeploymentStep): boolean {
  return before?.state !== now.state || before.message !== now.message;
}

/** One line for each step that begins or ends: for logs of scripts and pipelines. */
export class LineProgress implements Progress {
  private readonly seen = new Map<string, DeploymentStep>();

  constructor(private readonly output: Output) {}

  step(step: DeploymentStep): void {
    const key = `${step.component}/${step.step}`;
    const before = this.seen.get(key);
    this.seen.set(key, step);
    if (before?.state === step.state || step.state === 'pending') return;
    const took = between(step.startedAt, step.finishedAt);
    const parts = [step.component, step.step, step.state, took === '' ? '' : `(${took})`, step.message ?? ''];
    this.output.write(`${sanitizeLine(parts.filter((part) => part !== '').join(' '), false)}\n`);
  }

  log(component: string, text: string): void {
    this.output.write(`${component} | ${sanitizeLine(text, false)}\n`);
  }

  note(text: string): void {
    this.output.write(`${text}\n`);
  }

  finish(): void {
    this.seen.clear();
  }
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;
const ERASE_LINE = '\u001b[2K';

/** One line per component that is drawn again as it goes on: its present step, its last line of output, its time. */
export class LiveProgress implements Progress {
  private readonly steps = new Map<string, DeploymentStep[]>();
  private readonly lastLog = new Map<string, string>();
  private readonly startedAt = Date.now();
  private readonly timer: NodeJS.Timeout;
  private drawn = 0;
  private frame = 0;

  constructor(
    private readonly output: Output,
    private readonly colors: Colors,
  ) {
    this.timer = setInterval(() => {
      this.frame += 1;
      this.draw();
    }, FRAME_MS).unref();
  }

  step(step: DeploymentStep): void {
    const steps = this.steps.get(step.component) ?? [];
    const index = steps.findIndex((other) => other.step === step.step);
    if (index === -1) steps.push(step);
    else if (isNews(steps[index], step)) steps[index] = step;
    this.steps.set(step.component, steps);
    this.draw();
  }

  log(component: string, text: string): void {
    this.lastLog.set(component, sanitizeLine(text, false));
    this.draw();
  }

  note(text: string): void {
    this.erase();
    this.output.write(`${text}\n`);
    this.draw();
  }

  finish(): void {
    clearInterval(this.timer);
    this.draw();
    this.drawn = 0;
  }

  private erase(): void {
    if (this.drawn > 0) this.output.write(`\u001b[${this.drawn}A\r\u001b[J`);
    this.drawn = 0;
  }

  private draw(): void {
    const lines = this.lines();
    const up = this.drawn === 0 ? '' : `\u001b[${this.drawn}A\r`;
    this.output.write(up + lines.map((line) => `${ERASE_LINE}${line}\n`).join(''));
    this.drawn = lines.length;
  }

  private lines(): string[] {
    const width = Math.max(0, ...[...this.steps.keys()].map(widthOf));
    return [...this.steps].map(([component, steps]) => {
      const plain = component.padEnd(width);
      const failed = steps.find(({ state }) => state === 'failed');
      const running = failed ?? steps.find(({ state }) => state === 'running');
      if (failed !== undefined)
        return `${this.colors.red('✖')} ${plain}  ${this.cut(`${failed.step} failed: ${failed.message ?? ''}`, width)}`;
      if (running !== undefined)
        return `${this.colors.cyan(FRAMES[this.frame % FRAMES.length] ?? '')} ${plain}  ${this.cut(this.runningText(component, running), width)}`;
      if (steps.every(({ state }) => state === 'done'))
        return `${this.colors.green('✔')} ${plain}  ${this.colors.dim(this.doneText(steps))}`;
      return `${this.colors.dim('·')} ${plain}  ${this.colors.dim(steps.some(({ state }) => state === 'done') ? 'waits for the others' : 'waits')}`;
    });
  }

  private runningText(component: string, step: DeploymentStep): string {
    const detail = this.lastLog.get(component) ?? step.message ?? '';
    const since = step.startedAt === undefined ? this.startedAt : Date.parse(step.startedAt);
    return `${step.step} ${duration(Date.now() - since)}${detail === '' ? '' : `  ${detail}`}`;
  }

  private doneText(steps: readonly DeploymentStep[]): string {
    return steps.map((step) => `${step.step} ${between(step.startedAt, step.finishedAt)}`.trim()).join(', ');
  }

  /** A text that fits into the rest of the line, so that erasing counts right. */
  private cut(text: string, used: number): string {
    const room = (this.output.columns ?? 80) - used - 5;
    const clean = sanitizeLine(text, false);
    return clean.length > room ? `${clean.slice(0, Math.max(0, room - 1))}…` : clean;
  }
}

/** Shows nothing: with `--json`, the result says all. */
export class SilentProgress implements Progress {
  step(): void {
    return;
  }
  log(): void {
    return;
  }
  note(): void {
    return;
  }
  finish(): void {
    return;
  }
}

/** How long a deployment took, or has taken so far. */
export function tookText(deployment: Deployment): string {
  return duration(
    (deployment.finishedAt === undefined ? Date.now() : Date.parse(deployment.finishedAt)) - Date.parse(deployment.createdAt),
  );
}
