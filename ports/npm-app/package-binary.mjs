// Prints the binary of an installed package that its name suggests: the only one, or the one called like the package.
// Prints nothing when there is no telling. Ends with status 1 when the package has none.
import { readFileSync } from 'node:fs';

const [name] = process.argv.slice(2);
const { bin } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8'));
const short = name.slice(name.indexOf('/') + 1);
const binaries = typeof bin === 'string' ? [short] : Object.keys(bin ?? {});
if (binaries.length === 0) {
  console.error(`error: the package ${name} has no binary, so there is nothing to run; is it a library?`);
  process.exit(1);
}
console.error(`binaries of ${name}: ${binaries.join(', ')}`);
console.log(binaries.length === 1 ? binaries[0] : (binaries.find((binary) => binary === short) ?? ''));
