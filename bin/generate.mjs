// Writes the files that are generated from the code: `npm run generate`. With --check it writes nothing, and exits 1 when one is stale.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const tool = promisify(execFile);

/** Each file, and what writes it: `to`, from the files that were generated before it in `made`. */
const GENERATED = [
  { file: '.env.example', write: (to) => node('dist/src/config/generate-env-example.js', to) },
  { file: 'openapi.json', write: (to) => node('dist/src/http/generate-openapi.js', to) },
  { file: 'client/src/generated/schema.ts', write: writeClientSchema },
  { file: 'docs/security.md', write: writeRoleTables },
];

/** What stands between these markers in docs/security.md is written here; the rest of the file is written by people. */
const TABLES = [
  ['role-table', ({ ROLE_TABLE }) => ROLE_TABLE],
  ['granted-rows', ({ GRANTED_ROWS }) => GRANTED_ROWS],
];

function node(...args) {
  return tool(process.execPath, args, { cwd: root });
}

async function writeClientSchema(to, made) {
  const { renderSchema } = await import('../client/generate.mjs');
  await writeFile(to, await renderSchema(join(made, 'openapi.json')));
}

async function writeRoleTables(to) {
  const table = await import('../dist/src/auth/role-table.js');
  const { format, resolveConfig } = await import('prettier');
  const file = join(root, 'docs/security.md');
  let text = await readFile(file, 'utf8');
  for (const [name, rowsOf] of TABLES) {
    const [before, rest] = split(text, `<!-- ${name}: written by npm run generate -->\n`);
    const [, after] = split(rest, `<!-- end of ${name} -->\n`);
    text = `${before}<!-- ${name}: written by npm run generate -->\n\n${table.tableAsMarkdown(rowsOf(table))}\n\n<!-- end of ${name} -->\n${after}`;
  }
  await writeFile(to, await format(text, { ...(await resolveConfig(file)), parser: 'markdown' }));
}

function split(text, marker) {
  const place = text.indexOf(marker);
  if (place < 0) throw new Error(`docs/security.md lacks the line ${marker.trim()}`);
  return [text.slice(0, place), text.slice(place + marker.length)];
}

async function generate(directory) {
  // Not the whole build: the command line tool needs what is generated here.
  await tool('tsc', ['-p', '.'], { cwd: root }).catch((error) => {
    throw new Error(`The code does not compile:\n${error.stdout}`);
  });
  for (const { file, write } of GENERATED) {
    const to = join(directory, file);
    await mkdir(dirname(to), { recursive: true });
    await write(to, directory);
  }
}

async function stale(directory) {
  const differs = async ({ file }) =>
    (await readFile(join(directory, file), 'utf8')) !== (await readFile(join(root, file), 'utf8').catch(() => ''));
  const answers = await Promise.all(GENERATED.map(differs));
  return GENERATED.filter((_, index) => answers[index]).map(({ file }) => file);
}

if (process.argv.includes('--check')) {
  const directory = await mkdtemp(join(tmpdir(), 'hithe-generate-'));
  try {
    await generate(directory);
    const found = await stale(directory);
    if (found.length > 0) {
      console.error(`Out of date: ${found.join(', ')}. Run 'npm run generate' and commit what it writes.`);
      process.exitCode = 1;
    }
  } finally {
    await rm(directory, { recursive: true });
  }
} else {
  await generate(root);
}
