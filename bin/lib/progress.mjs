import { Failure } from './failure.mjs';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/**
 * Shows steps as they go: on a terminal one live line with a spinner, the elapsed time and what happens right now;
 * elsewhere plain lines.
 */
export class Progress {
  constructor(stream = process.stdout) {
    this.stream = stream;
    this.live = stream.isTTY === true && process.env.TERM !== 'dumb';
    this.colour = this.live && !process.env.NO_COLOR;
    this.line = undefined;
  }

  /** Runs `work` as a step. `work` receives `say(text)`, whose `say.live(text)` is for passing noise that only a
   * terminal shows, and may return a few words for the finished line. */
  async step(title, work) {
    const started = performance.now();
    let detail = '';
    let frame = 0;
    const draw = () => this.draw(`${FRAMES[frame++ % FRAMES.length]} ${title}  ${this.dim(`${elapsed(started)}  ${detail}`)}`);
    const timer = this.live ? setInterval(draw, 100) : undefined;
    if (!this.live) this.print(`→ ${title}`);
    const show = (text) => (detail = text.trim());
    const say = (text) => (this.live ? show(text) : this.print(`  ${text.trim()}`));
    say.live = show;
    try {
      const result = await work(say);
      this.finish(`${this.paint(32, '✓')} ${title}  ${this.dim(`${elapsed(started)}${result ? `  ${result}` : ''}`)}`);
    } catch (error) {
      this.finish(`${this.paint(31, '✗')} ${title}  ${this.dim(elapsed(started))}`);
      throw error;
    } finally {
      clearInterval(timer);
      this.line = undefined;
    }
  }

  /** Prints a line above the live one. */
  print(text = '') {
    if (this.line !== undefined) this.stream.write('\r\x1b[2K');
    this.stream.write(`${text}\n`);
    if (this.line !== undefined) this.stream.write(this.line);
  }

  /** Prints an error with its mend; the stack only for what nobody expected. */
  fail(error) {
    this.print(`\n${this.paint(31, error instanceof Failure ? error.message : (error?.stack ?? String(error)))}`);
    if (error?.fix) this.print(`\n${error.fix}`);
  }

  bold(text) {
    return this.paint(1, text);
  }

  dim(text) {
    return this.paint(2, text);
  }

  paint(code, text) {
    return this.colour ? `\x1b[${code}m${text}\x1b[0m` : text;
  }

  draw(text) {
    // A line that wraps could not be erased; 12 leaves room for the invisible colour codes.
    this.line = text.slice(0, (this.stream.columns || 80) + 7);
    this.stream.write(`\r\x1b[2K${this.line}`);
  }

  finish(text) {
    this.line = undefined;
    this.stream.write(`${this.live ? '\r\x1b[2K' : ''}${text}\n`);
  }
}

function elapsed(started) {
  const seconds = (performance.now() - started) / 1_000;
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
