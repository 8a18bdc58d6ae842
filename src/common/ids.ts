import { v7 } from 'uuid';

/** A new UUID version 7: unique, and ordered by its time of creation. */
export function newId(): string {
  return v7();
}
