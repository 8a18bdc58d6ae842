import { readFile, readdir } from 'node:fs/promises';

/** The kernel's USER_HZ, the same on every Linux that Node.js runs on. */
const TICKS_PER_SECOND = 100;

/** Proportional set size of a process in bytes; 0 when it has just ended. */
async function pssOf(pid) {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024;
}

async function parents() {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const pairs = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      // The name may hold spaces and brackets; what follows the last bracket does not.
      return [Number(pid), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])];
    }),
  );
  return new Map(pairs);
}

/** Memory of a process and all of its descendants, but for those below `without`. */
export async function memoryOfTree(root, without = []) {
  const parentOf = await parents();
  const belongs = (pid) => {
    for (let at = pid; at > 1; at = parentOf.get(at) ?? 0) {
      if (without.includes(at)) return false;
      if (at === root) return true;
    }
    return false;
  };
  const sizes = await Promise.all([...parentOf.keys()].filter(belongs).map(pssOf));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Memory of one process alone. */
export const memoryOf = pssOf;

/** Processor time that a process and all of its descendants have used so far, those that ended included; seconds. */
export async function cpuOfTree(root) {
  const parentOf = await parents();
  const belongs = (pid) => {
    for (let at = pid; at > 1; at = parentOf.get(at) ?? 0) if (at === root) return true;
    return false;
  };
  const times = await Promise.all([...parentOf.keys()].filter(belongs).map(ticksOf));
  return times.reduce((sum, ticks) => sum + ticks, 0) / TICKS_PER_SECOND;
}

async function ticksOf(pid) {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // utime, stime, cutime, cstime
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
}

/** The environment of a process, as an object. */
export async function environmentOf(pid) {
  const text = await readFile(`/proc/${pid}/environ`, 'utf8');
  return Object.fromEntries(
    text
      .split('\0')
      .filter(Boolean)
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
}
