const frameworks = '^node_modules/(@nestjs|typeorm|pg-boss|express|pg)(/|$)';

/** The directions of import that docs/architecture.md promises. */
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: '(\\.spec\\.ts$|^src/(main|agent|bootstrap)\\.ts$|/generate-[^/]+\\.ts$)' },
      to: {},
    },
    { name: 'common-is-plain', severity: 'error', from: { path: '^src/common/' }, to: { path: ['^src/(?!common/)', frameworks] } },
    {
      name: 'domain-is-plain',
      severity: 'error',
      from: { path: '^src/modules/[^/]+/domain/' },
      to: { path: [frameworks, '/(persistence|dto)/', '\\.(controller|service|module|jobs)\\.ts$'] },
    },
    {
      name: 'only-queue-knows-pg-boss',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/queue/' },
      to: { path: '^node_modules/pg-boss' },
    },
    {
      name: 'only-runner-starts-processes',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(modules/runner/|database/embedded-postgres)' },
      to: { path: '^(node:)?child_process$' },
    },
    {
      name: 'modules-use-services-not-tables',
      severity: 'error',
      from: { path: '^src/modules/([^/]+)/' },
      to: { path: '^src/modules/[^/]+/(persistence/|.*\\.entity\\.ts)', pathNot: '^src/modules/$1/' },
    },
    {
      name: 'agent-has-no-database',
      severity: 'error',
      from: { path: '^src/(agent\\.ts|modules/runner/)' },
      to: { path: ['^src/(database|queue|http|auth)/', '^node_modules/(@nestjs|typeorm|pg|pg-boss)(/|$)'], reachable: true },
    },
    {
      name: 'control-plane-never-runs-tenants',
      severity: 'error',
      from: { path: '^src/(?!agent|modules/runner/)', pathNot: '\\.spec\\.ts$' },
      to: { path: '^src/modules/runner/' },
    },
    { name: 'clients-never-import-the-server', severity: 'error', from: { path: '^(cli|client|web)/' }, to: { path: '^src/' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.eslint.json' },
  },
};
