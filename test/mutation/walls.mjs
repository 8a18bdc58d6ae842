// `npm run check:walls`: takes down one wall at a time in a copy of the tree, and demands that tests fail each time.
// With names as arguments, only those: `npm run check:walls -- sql-filter`.
import { execFile, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '../..');

const HTTP = ['test/http/walls.spec.ts', 'test/http/users.spec.ts', 'test/http/teams.spec.ts'];
const DATABASE = ['test/integration/walls.spec.ts'];

/**
 * Each wall with the line that stands for it and what remains without it. A line that is not there any more is an error, so that
 * this list cannot rot.
 */
const WALLS = [
  {
    name: 'policy-guard',
    what: 'routes ask for no ability',
    file: 'src/auth/access.guard.ts',
    line: '    if (user?.ability.can(policy.action, policy.subject) === true) return true;\n',
    instead: '    if (policy.action !== undefined) return true;\n',
    tests: HTTP,
  },
  {
    name: 'auth-guard',
    what: 'who comes without a credential is let through',
    file: 'src/auth/access.guard.ts',
    line: '  override async canActivate(context: ExecutionContext): Promise<boolean> {\n',
    instead:
      '  override async canActivate(context: ExecutionContext): Promise<boolean> {\n    if (context.switchToHttp().getRequest<Request>().headers.authorization === undefined) return true;\n',
    tests: HTTP,
  },
  {
    name: 'sql-filter',
    what: 'lists are not filtered',
    file: 'src/auth/ability-query.ts',
    line: "  return { sql: sql ?? 'FALSE', parameters };\n",
    instead: "  return { sql: sql === undefined ? 'TRUE' : 'TRUE', parameters: {} };\n",
    // Members of one team that see different projects of it: row-level security does not tell them apart.
    tests: [...HTTP, 'test/http/roles.spec.ts'],
  },
  {
    name: 'projects-filter',
    what: 'the list of projects is not filtered',
    file: 'src/modules/projects/project-views.ts',
    line: '    const conditions = [allowed.sql.replaceAll(/:(ability\\d+)/g, (_all, name: string) => bind(allowed.parameters[name]))];\n',
    instead: "    const conditions = [allowed === undefined ? '' : 'TRUE'];\n",
    tests: HTTP,
  },
  {
    name: 'row-authorize',
    what: 'no row is asked about',
    file: 'src/auth/ability.ts',
    line: "  if (!row || !mayDo(owner, 'read', name, row)) throw notFound(named.what, named.id);\n",
    instead: '  if (row) return row;\n  if (!row) throw notFound(named.what, named.id);\n',
    tests: HTTP,
  },
  {
    name: 'row-level-security',
    what: 'policies let everything through',
    file: 'migrations/support/row-level-security.ts',
    line: '  const reached = `(SELECT hithe_all_teams()) OR ${condition}`;\n',
    instead: '  const reached = condition === undefined ? condition : `true`;\n',
    tests: DATABASE,
  },
  {
    name: 'forced',
    what: 'the owner of the tables is not held by it',
    file: 'migrations/support/row-level-security.ts',
    line: '  await runner.query(`ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`);\n',
    instead: '',
    tests: DATABASE,
  },
  {
    name: 'context',
    what: 'every statement reaches all rows',
    file: 'src/database/row-access.ts',
    line: '  if (context === undefined) return NOTHING;\n',
    instead: "  if (context === undefined || context !== undefined) return { teams: 'all', user: '' };\n",
    tests: DATABASE,
  },
  {
    name: 'transaction-local',
    what: 'the context stays on the connection',
    file: 'src/database/contextual-client.ts',
    line: "set_config('hithe.teams', $1, true), set_config('hithe.user', $2, true)",
    instead: "set_config('hithe.teams', $1, false), set_config('hithe.user', $2, false)",
    tests: DATABASE,
  },
  {
    name: 'app-role',
    what: 'the control plane may serve as the owner',
    file: 'src/database/serving-role.ts',
    line: '    if (reason !== undefined) throw tooStrong(role.name, reason, urlFile);\n',
    instead: '    if (reason === urlFile) throw tooStrong(role.name, reason, urlFile);\n',
    tests: DATABASE,
  },
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !WALLS.some((wall) => wall.name === name));
if (unknown.length > 0) throw new Error(`There is no wall ${unknown.join(', ')}; there are ${WALLS.map((wall) => wall.name).join(', ')}`);

const copy = await mkdtemp(join(tmpdir(), 'hithe-walls-'));
try {
  process.exitCode = await main(WALLS.filter((wall) => wanted.length === 0 || wanted.includes(wall.name)));
} finally {
  await rm(copy, { recursive: true, force: true });
}

async function main(walls) {
  await copyTree();
  const whole = await runTests([...new Set(walls.flatMap((wall) => wall.tests))]);
  if (whole.failed.length > 0 || whole.passed === 0) {
    console.error(`Tests fail with all walls in place:\n${whole.failed.join('\n')}\n${whole.output}`);
    return 1;
  }
  const rows = [['wall removed', 'what that means', 'tests that fail', 'of', 'the first of them']];
  const standing = [];
  for (const wall of walls) {
    const { failed, passed } = await withoutWall(wall);
    if (failed.length === 0) standing.push(wall.name);
    rows.push([wall.name, wall.what, String(failed.length), String(failed.length + passed), failed[0] ?? 'NONE: nobody would notice']);
    console.error(`${wall.name}: ${failed.length} of ${failed.length + passed} tests fail`);
  }
  console.log(table(rows));
  if (standing.length > 0) console.error(`No test fails without: ${standing.join(', ')}`);
  return standing.length === 0 ? 0 : 1;
}

/** All files that git knows or would know, and the dependencies by a link. */
async function copyTree() {
  const { stdout } = await promisify(execFile)('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    maxBuffer: 64 * 1024 * 1024,
  });
  for (const file of stdout.split('\0').filter((name) => name !== '')) {
    await mkdir(dirname(join(copy, file)), { recursive: true });
    // What git still lists may have been deleted.
    await cp(join(root, file), join(copy, file), { verbatimSymlinks: true }).catch((error) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
}

async function withoutWall({ name, file, line, instead, tests }) {
  const path = join(copy, file);
  const before = await readFile(path, 'utf8');
  if (before.split(line).length !== 2) throw new Error(`The line that stands for ${name} is not in ${file} exactly once:\n${line}`);
  await writeFile(
    path,
    before.replace(line, () => instead),
  );
  try {
    const { failed, passed, broken, output } = await runTests(tests);
    // A tree that does not even start proves nothing.
    if (broken) throw new Error(`Without ${name} the tests could not run:\n${output}`);
    return { failed, passed };
  } finally {
    await writeFile(path, before);
  }
}

async function runTests(files) {
  const report = join(copy, 'report.json');
  await rm(report, { force: true });
  const jest = spawn(join(copy, 'bin/jest'), [...files, '--json', `--outputFile=${report}`, '--silent'], {
    cwd: copy,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let output = '';
  jest.stderr.on('data', (chunk) => (output += chunk.toString()));
  await new Promise((resolve, reject) => jest.once('error', reject).once('close', resolve));
  const { testResults } = JSON.parse(await readFile(report, 'utf8'));
  const tests = testResults.flatMap((result) => result.assertionResults);
  const failed = tests.filter((test) => test.status === 'failed').map((test) => test.fullName);
  const passed = tests.filter((test) => test.status === 'passed').length;
  return { failed, passed, broken: testResults.some((result) => result.assertionResults.length === 0), output };
}

function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
