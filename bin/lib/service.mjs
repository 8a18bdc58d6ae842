import { spawn } from 'node:child_process';
import { closeSync, copyFileSync, openSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from './failure.mjs';
import { assertWanted } from './interruption.mjs';
import { isRunning, startTimeOf } from './process-identity.mjs';

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;
/** A process that ran this long before it ended had not been failing. */
const SETTLED = 60_000;
const LOG_LIMIT = 20 * 1024 * 1024;

/**
 * One process of the platform: started in a session of its own, found again by a later launcher, restarted when it
 * dies. What identifies it is in `run/<name>.json`.
 */
export class Service {
  /** `command` is an array; `version` tells whether a process that already runs is the one that would be started. */
  constructor({ name, title, directory, log, command, env, cwd = '/', version }) {
    Object.assign(this, { name, title, log, command, env, cwd, version });
    this.file = join(directory, `${name}.json`);
    /** @type {{ pid: number, startTime: string | undefined, version: string } | undefined} */
    this.identity = undefined;
    this.wanted = false;
    this.pause = FIRST_PAUSE;
  }

  /** Starts the process, unless one of the same version already runs. Says which. */
  async ensureRunning() {
    const found = this.recorded();
    if (found !== undefined && found.version === this.version) {
      this.identity = found;
      this.wanted = true;
      return 'adopted';
    }
    if (found !== undefined) await this.end(found, 'SIGTERM', 30_000);
    this.start();
    return found === undefined ? 'started' : 'replaced';
  }

  /** The process of an earlier launcher that still runs, or undefined. */
  recorded() {
    try {
      const identity = JSON.parse(readFileSync(this.file, 'utf8'));
      return isRunning(identity) ? identity : undefined;
    } catch {
      return undefined;
    }
  }

  /** Whether a process of an earlier launcher runs and is what would be started. */
  isCurrent() {
    return this.recorded()?.version === this.version;
  }

  isRunning() {
    return this.identity !== undefined && isRunning(this.identity);
  }

  start() {
    this.rotateLog();
    const log = openSync(this.log, 'a', 0o640);
    try {
      const [program, ...args] = this.command;
      const child = spawn(program, args, { cwd: this.cwd, env: this.env, detached: true, stdio: ['ignore', log, log] });
      // Without a listener, a program that is missing would end the launcher; `logTail` and the log tell the rest.
      child.once('error', (error) => this.note(error.message));
      child.once('exit', (code, signal) => this.note(`${this.title} ended with ${signal ?? `exit code ${code}`}`));
      child.unref();
      this.startedAt = performance.now();
      this.wanted = true;
      if (child.pid === undefined) return;
      this.identity = { pid: child.pid, startTime: startTimeOf(child.pid), version: this.version };
      writeFileSync(this.file, JSON.stringify(this.identity));
    } finally {
      closeSync(log);
    }
  }

  /** Watches the process until `stop`: whenever it ends, starts it again after a growing pause. */
  async supervise(onEvent) {
    while (this.wanted) {
      await delay(500, undefined, { ref: true });
      this.truncateLog();
      if (!this.wanted || this.isRunning()) continue;
      if (this.startedAt !== undefined && performance.now() - this.startedAt > SETTLED) this.pause = FIRST_PAUSE;
      onEvent(`${this.title} ended; starting it again in ${this.pause / 1_000} s. See ${this.log}`);
      await delay(this.pause);
      this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
      if (this.wanted) this.start();
    }
  }

  /** Asks the process to end, and insists after `grace` milliseconds. */
  async stop(signal = 'SIGTERM', grace = 30_000) {
    this.wanted = false;
    const identity = this.identity ?? this.recorded();
    if (identity !== undefined) await this.end(identity, signal, grace);
    rmSync(this.file, { force: true });
  }

  async end(identity, signal, grace) {
    send(identity, signal);
    const deadline = performance.now() + grace;
    while (isRunning(identity)) {
      if (performance.now() > deadline) send(identity, 'SIGKILL');
      await delay(20);
    }
  }

  /** Waits until `check` resolves to something; fails when the process ends before, or at the deadline. */
  async waitFor(check, what, milliseconds) {
    const deadline = performance.now() + milliseconds;
    for (;;) {
      assertWanted();
      const result = await check();
      if (result) return result;
      if (!this.isRunning()) throw new Failure(`${this.title} ended before ${what}\n${this.logTail()}`, `The whole log: ${this.log}`);
      if (performance.now() > deadline)
        throw new Failure(
          `${this.title} runs, but not ${what} after ${milliseconds / 1_000} s\n${this.logTail()}`,
          `The whole log: ${this.log}`,
        );
      await delay(50);
    }
  }

  logTail() {
    return readFileSync(this.log, 'utf8').trimEnd().split('\n').slice(-15).join('\n');
  }

  note(text) {
    writeFileSync(this.log, `${new Date().toISOString()} launcher: ${text}\n`, { flag: 'a' });
  }

  rotateLog() {
    if (sizeOf(this.log) > LOG_LIMIT) renameSync(this.log, `${this.log}.1`);
  }

  /** The process keeps its descriptor, so that its file is copied away and emptied instead of moved. */
  truncateLog() {
    if (sizeOf(this.log) <= LOG_LIMIT) return;
    copyFileSync(this.log, `${this.log}.1`);
    truncateSync(this.log);
  }
}

function sizeOf(file) {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function send(identity, signal) {
  if (!isRunning(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
