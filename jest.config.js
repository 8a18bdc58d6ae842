import { testDirectories } from './bin/lib/test-directories.mjs';

const seconds = 1_000;

// Installed software is shared by all test files, and by all test runs on this machine.
Object.assign(process.env, testDirectories());

/** What every project shares. Sources are compiled one by one by SWC; types are checked by `tsc` in `npm run check`. */
const common = {
  rootDir: import.meta.dirname,
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/(cli|client)/dist/'],
  testEnvironment: '<rootDir>/test/support/environment.mjs',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2024',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
};

/** Suites that need a database share one server, which the global set-up starts; those that install software share a store. */
const real = { globalSetup: '<rootDir>/test/support/global-setup.mjs', globalTeardown: '<rootDir>/test/support/global-teardown.mjs' };

/** Jest reads `testTimeout` of the whole run only, so each project's goes through its environment. */
function project(name, timeout, options = {}) {
  return {
    ...common,
    displayName: name,
    testMatch: [`<rootDir>/test/${name}/**/*.spec.ts`],
    testEnvironmentOptions: { timeout },
    ...options,
  };
}

export default {
  // In the order in which they run: what is quick and basic first. test/support/sequencer.mjs reads it.
  projects: [
    project('unit', 5 * seconds, { testMatch: ['<rootDir>/{src,cli,client,bin}/**/*.spec.ts'] }),
    project('http', 30 * seconds, real),
    project('integration', 30 * seconds, real),
    project('runner', 180 * seconds, real),
    project('ports', 600 * seconds, real),
    project('e2e', 600 * seconds, real),
  ],
  testSequencer: '<rootDir>/test/support/sequencer.mjs',
  maxWorkers: '100%',
};
