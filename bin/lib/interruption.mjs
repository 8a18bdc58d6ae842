import { Failure } from './failure.mjs';

const controller = new AbortController();

/** Aborted when the user wants the launcher to stop: what it is doing right now is given up, what it has started is stopped. */
export const interruption = controller.signal;

/** Gives up whatever the launcher is doing. */
export function interrupt() {
  controller.abort();
}

/** Ends a start that nobody wants any more. */
export function assertWanted() {
  if (interruption.aborted) throw new Failure('interrupted');
}
