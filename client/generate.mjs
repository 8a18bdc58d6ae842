// Writes client/src/generated/schema.ts from the root's openapi.json.
//   node client/generate.mjs           write it
//   node client/generate.mjs --check   exit 1 when it is not up to date
import { readFile, writeFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import openapiTypescript, { astToString } from 'openapi-typescript';

const here = dirname(fileURLToPath(import.meta.url));
const schemaFile = join(here, 'src/generated/schema.ts');

/** The text of schema.ts for the OpenAPI document in `documentFile`. */
export async function renderSchema(documentFile = join(here, '../openapi.json')) {
  const document = JSON.parse(await readFile(documentFile, 'utf8'));
  const ast = await openapiTypescript(document, { alphabetize: true });
  return `// Generated from openapi.json by client/generate.mjs; do not edit.\n${astToString(ast)}`;
}

async function main(argv) {
  const check = argv.includes('--check');
  const documentFile = argv.find((argument) => !argument.startsWith('--'));
  const wanted = await renderSchema(documentFile);
  const present = await readFile(schemaFile, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (present === wanted) return 0;
  if (check) {
    console.error('client/src/generated/schema.ts does not match openapi.json; run "npm run generate" and commit the result.');
    return 1;
  }
  await mkdir(dirname(schemaFile), { recursive: true });
  await writeFile(schemaFile, wanted);
  console.log('client/src/generated/schema.ts written');
  return 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
