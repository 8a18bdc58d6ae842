/** A failure that the user can do something about: `fix` says what. Shown without a stack. */
export class Failure extends Error {
  constructor(message, fix, options) {
    super(message, options);
    this.name = 'Failure';
    this.fix = fix;
  }
}
