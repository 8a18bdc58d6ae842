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
];

function node(...args) {
  return tool(process.execPath, args, { cwd: root });
}

async function writeClientSchema(to, made) {
  const { renderSchema } = await import('../client/generate.mjs');
  await writeFile(to, await renderSchema(join(made, 'openapi.json')));
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
