import { spawn } from 'node:child_process';

const TAKEN = 75;

/**
 * A lock on a file that goes away with this process, however it ends: a `flock` child holds it until the pipe to
 * this process breaks.
 */
export class Lock {
  constructor(child) {
    this.child = child;
  }

  /** The lock, or undefined when somebody else holds it. */
  static async take(file) {
    return Lock.acquire(file, ['--nonblock']);
  }

  /** The lock, as soon as it is free; `onWait` is called when it is not at once. */
  static async wait(file, onWait) {
    const lock = await Lock.take(file);
    if (lock !== undefined) return lock;
    onWait();
    return Lock.acquire(file, []);
  }

  static async acquire(file, flags) {
    const args = [...flags, '--conflict-exit-code', String(TAKEN), file, 'sh', '-c', 'echo held; exec cat >/dev/null'];
    // A session of its own: Ctrl-C on the terminal must not release it before everything is stopped.
    const child = spawn('flock', args, { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    const held = await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.stdout.once('data', () => resolve(true));
      child.once('exit', (code) => (code === TAKEN ? resolve(false) : reject(new Error(`flock ${file} ended with exit code ${code}`))));
    });
    if (!held) return undefined;
    child.unref();
    child.stdin.unref?.();
    child.stdout.unref?.();
    return new Lock(child);
  }

  release() {
    this.child.stdin.end();
  }
}
