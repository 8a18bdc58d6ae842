/** One Ctrl-C can arrive twice: from the terminal, and from npm, which passes its own on. */
const SAME_KEYSTROKE = 1_000;

/** What the user asked for: SIGINT stops everything, SIGTERM and SIGHUP leave the components running. */
export class Signals {
  constructor(progress) {
    this.pending = undefined;
    this.waiting = [];
    process.on('SIGINT', () => this.receive({ components: true }, progress));
    for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => this.receive({ components: false }, progress));
  }

  /** Resolves with the first request. */
  requested() {
    return new Promise((resolve) => {
      if (this.pending === undefined) this.waiting.push(resolve);
      else resolve(this.pending);
    });
  }

  receive(request, progress) {
    if (this.pending !== undefined) {
      if (performance.now() - this.receivedAt > SAME_KEYSTROKE)
        progress.print('Already stopping; each component gets the time that its port allows.');
      return;
    }
    this.pending = request;
    this.receivedAt = performance.now();
    for (const resolve of this.waiting) resolve(request);
  }
}
