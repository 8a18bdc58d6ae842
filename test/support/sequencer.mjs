import Sequencer from '@jest/test-sequencer';

const ORDER = ['unit', 'http', 'integration', 'runner', 'ports', 'e2e'];

/** Quick suites first, so that a mistake shows within seconds; inside a suite, Jest's own order (failed and slow files first). */
export default class QuickSuitesFirst extends Sequencer {
  sort(tests) {
    const rank = (test) => ORDER.indexOf(test.context.config.displayName?.name);
    return super.sort(tests).toSorted((one, other) => rank(one) - rank(other));
  }
}
