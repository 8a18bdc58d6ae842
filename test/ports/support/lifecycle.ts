import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Ended } from '../../../src/modules/runner/supervisor/supervisor.types.js';
import { PortInstance, type PortInstanceInput } from './port-instance.js';
import { PortWorkshop } from './port-workshop.js';

/** Three blocks of a tar archive, so that what is left looks whole; in the middle of what is no archive. */
const CUT = 3 * 512;

/** What a test knows about the software itself: how to put something in and find it again. */
export interface Lifecycle extends Omit<PortInstanceInput, 'source'> {
  /** Makes the app's code in a directory. */
  source?: (directory: string) => Promise<void>;
  /** Puts `value` where the service keeps data. */
  write?: (instance: PortInstance, value: string) => Promise<unknown>;
  /** The value written last; undefined when there is none. */
  read?: (instance: PortInstance) => Promise<string | undefined>;
  /** How the software ends when it is asked to; exit code 0 when absent. */
  ends?: Partial<Ended>;
}

/** Drives a port through its whole life, in order: init, start, health, kill, recovery, backup, restore, stop, removal. */
export function describeLifecycle(
  { source, write, read, ends = { code: 0 }, ...input }: Lifecycle,
  more?: (instance: () => PortInstance) => void,
): void {
  describe(`port ${input.port} ${input.version}`, () => {
    let workshop: PortWorkshop;
    let instance: PortInstance;
    let dump: Buffer;

    beforeAll(async () => {
      workshop = await PortWorkshop.open();
      const directory = source === undefined ? undefined : await workshop.scratch(source);
      instance = await PortInstance.create(workshop, { ...input, ...(directory === undefined ? {} : { source: directory }) });
    });
    afterAll(async () => {
      await (instance as PortInstance | undefined)?.close();
      await (workshop as PortWorkshop | undefined)?.close();
    });

    it('answers its preflight with checks that pass', async () => {
      const checks = (await instance.succeed('preflight.sh')).toString('utf8').trim().split('\n');
      expect(checks.map((line) => JSON.parse(line) as unknown)).toEqual(
        checks.map(() => ({ check: expect.any(String), status: 'ok', message: expect.any(String) })),
      );
    });

    it('is initialised, and again without a change', async () => {
      if (instance.hasScript('build.sh')) expect(await instance.build()).toMatchObject({ code: 0 });
      if (instance.hasScript('init.sh')) {
        await instance.succeed('init.sh');
        await instance.succeed('init.sh');
      }
    });

    it('is not healthy while it is not running', async () => {
      expect((await instance.run('test.sh')).code).not.toBe(0);
    });

    it('starts and answers', async () => {
      expect(await instance.startHealthy()).not.toBe('');
      await write?.(instance, 'first');
    });

    it('exports what its manifest declares', async () => {
      const exports = await instance.exports();
      expect(Object.keys(exports).sort()).toEqual([...instance.context.manifest.hithe.exports].sort());
      expect(Object.values(exports)).not.toContain('');
    });

    it('shows no secret in command lines or in its output', async () => {
      await instance.succeed('test.sh');
      for (const secret of instance.secrets) {
        expect(instance.isOnCommandLine(secret)).toBe(false);
        expect(instance.output).not.toContain(secret);
      }
    });

    it('keeps its data when it is killed', async () => {
      await instance.kill();
      await instance.startHealthy();
      expect(await read?.(instance)).toBe(read && 'first');
    });

    if (read && write) {
      it('is backed up while it runs, and stops in order', async () => {
        dump = await instance.backup();
        expect(dump.length).toBeGreaterThan(0);
        await write(instance, 'second');
        const ended = await instance.stop();
        expect(ended).toMatchObject(ends);
      });

      it('refuses a backup that is cut short, and keeps its data then', async () => {
        expect((await instance.restore(dump.subarray(0, Math.min(CUT, Math.floor(dump.length / 2))))).code).not.toBe(0);
        await instance.startHealthy();
        expect(await read(instance)).toBe('second');
        await instance.stop();
      });

      it('has its old data after a restore', async () => {
        expect(await instance.restore(dump)).toMatchObject({ code: 0 });
        await instance.startHealthy();
        expect(await read(instance)).toBe('first');
      });
    }

    more?.(() => instance);

    it('stops in order, and leaves what was asked to be kept', async () => {
      expect(await instance.stop()).toMatchObject(ends);
      const kept = instance.filledDirectories().filter((name) => name === 'data');
      await instance.succeed('uninstall.sh', { HITHE_KEEP_DATA: 'true' });
      expect(instance.filledDirectories()).toEqual(kept);
      await instance.succeed('uninstall.sh');
      expect(instance.filledDirectories()).toEqual([]);
    });
  });
}
