import { type AuditRecord, hashOfRecord } from './audit-record.js';

export const CHAIN_PROBLEMS = ['edited', 'missing', 'cut', 'head-mismatch', 'archive-damaged'] as const;

/** One thing that is wrong with the log, at the event where it is. */
export interface ChainProblem {
  seq: number;
  problem: (typeof CHAIN_PROBLEMS)[number];
  message: string;
}

/** A place in the chain: the number of an event and its hash. */
export interface ChainPlace {
  seq: number;
  hash: string;
}

/** More are counted but not named. */
const MOST_PROBLEMS = 200;

/** Collects problems; memory stays bounded however many there are. */
export class Problems {
  readonly found: ChainProblem[] = [];
  count = 0;

  add(seq: number, problem: ChainProblem['problem'], message: string): void {
    this.count += 1;
    if (this.found.length < MOST_PROBLEMS) this.found.push({ seq, problem, message });
  }
}

/** Follows the chain event by event, and says where it does not hold. Keeps only the place it has come to. */
export class ChainCheck {
  checked = 0;

  /** `place` is the last event before the ones to come, trusted as it is. */
  constructor(
    public place: ChainPlace,
    private readonly problems: Problems,
  ) {}

  /** The next event, in the order of their numbers. */
  add(record: AuditRecord): void {
    this.checked += 1;
    const gap = record.seq !== this.place.seq + 1;
    if (gap) this.problems.add(this.place.seq + 1, 'missing', missing(this.place.seq + 1, record.seq - 1));
    if (hashOfRecord(record) !== record.hash) {
      this.problems.add(record.seq, 'edited', `Event ${record.seq} (${record.action}) was edited: its content does not have its hash.`);
    } else if (!gap && record.previousHash !== this.place.hash) {
      // This one is whole, so it was written after another one than what stands before it now.
      this.problems.add(this.place.seq, 'edited', `Event ${this.place.seq} was replaced: event ${record.seq} follows another hash.`);
    }
    this.place = { seq: record.seq, hash: record.hash };
  }

  /** The end that the database itself remembers. */
  end(head: ChainPlace): void {
    if (head.seq > this.place.seq) this.problems.add(this.place.seq + 1, 'cut', missing(this.place.seq + 1, head.seq));
    else if (head.seq < this.place.seq || head.hash !== this.place.hash)
      this.problems.add(head.seq, 'head-mismatch', `The head of the chain (${head.seq}) is not its last event (${this.place.seq}).`);
  }
}

/** Says which events are not there. */
export function missing(first: number, last: number): string {
  return first === last ? `Event ${first} is missing.` : `Events ${first} to ${last} are missing.`;
}
