import { readFileSync } from 'node:fs';

/**
 * When a process started, in clock ticks after boot: with its pid, this names one process for ever. Undefined when
 * there is no such process or it is a zombie.
 */
export function startTimeOf(pid) {
  let text;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The second field is the program's name in parentheses, which may itself hold blanks and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

/** Whether the process that `identity` ({pid, startTime}) describes still runs. */
export function isRunning(identity) {
  // No start time: it had ended before anybody could look.
  return identity.startTime !== undefined && startTimeOf(identity.pid) === identity.startTime;
}
