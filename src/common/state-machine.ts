import { DomainError } from './domain-error.js';

/** For each state, the states that may follow it. A state with no successor is final. */
export type Transitions<S extends string> = Readonly<Record<S, readonly S[]>>;

/** Moves through a transition table; anything that the table lacks is a `conflict`. */
export class StateMachine<S extends string> {
  constructor(
    private readonly subject: string,
    private readonly transitions: Transitions<S>,
  ) {}

  isFinal(state: S): boolean {
    return this.transitions[state].length === 0;
  }

  can(from: S, to: S): boolean {
    return this.transitions[from].includes(to);
  }

  /** Returns `to`, or throws `ILLEGAL_TRANSITION`. */
  move(from: S, to: S): S {
    if (this.can(from, to)) return to;
    throw new DomainError('conflict', 'ILLEGAL_TRANSITION', `A ${this.subject} that is ${from} cannot become ${to}.`);
  }

  get states(): S[] {
    return Object.keys(this.transitions) as S[];
  }
}
