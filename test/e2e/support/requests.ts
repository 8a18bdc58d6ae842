/** Asks an address again and again, one request after the other, and keeps what failed. */
export class Requests {
  readonly failures: string[] = [];
  answered = 0;
  private wanted = true;
  private readonly done: Promise<void>;

  constructor(private readonly url: string) {
    this.done = this.run();
  }

  async stop(): Promise<void> {
    this.wanted = false;
    await this.done;
  }

  private async run(): Promise<void> {
    while (this.wanted) {
      try {
        const response = await fetch(this.url, { signal: AbortSignal.timeout(5_000) });
        await response.text();
        if (response.ok) this.answered += 1;
        else this.failures.push(`${new Date().toISOString()} answered ${response.status}`);
      } catch (error) {
        this.failures.push(`${new Date().toISOString()} ${String(error)}`);
      }
    }
  }
}
