/** Remembers that it was rung, so that a ring between two looks is not lost. */
export class Bell {
  private rings = 0;
  private wake = (): void => undefined;

  ring(): void {
    this.rings += 1;
    this.wake();
  }

  reset(): void {
    this.rings = 0;
  }

  /** Resolves at once when it was rung since `reset`, otherwise with the next ring. */
  async rung(): Promise<void> {
    if (this.rings === 0) await new Promise<void>((resolve) => (this.wake = resolve));
  }
}
