// `npm run bench -- NAME [OPTIONS]`: runs one benchmark and prints its table; with --json FILE it writes the figures, too.
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

const BENCHMARKS = {
  deploy: {
    load: () => import('./deploy.mjs'),
    what: 'a changed line of the guestbook, from `hithe deploy` to its first answer, beside a plain script',
  },
  api: {
    load: () => import('./api.mjs'),
    what: 'list and get of 20,000 projects under roles, beside a bare Nest handler; a log-in beside argon2id',
  },
  cli: { load: () => import('./cli.mjs'), what: 'start of the command line tool, beside an empty Node.js program' },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '10' },
    json: { type: 'string' },
    cold: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const [name] = positionals;
const benchmark = BENCHMARKS[name];

if (benchmark === undefined || values.help) {
  const list = Object.entries(BENCHMARKS).map(([each, { what }]) => `  ${each.padEnd(8)}${what}`);
  console.log(
    `Usage: npm run bench -- NAME [--runs 10] [--json FILE] [--cold]\n\n${list.join('\n')}\n\n  --cold  deploy: also time npm start in a fresh clone, dependencies and downloads included`,
  );
  process.exitCode = values.help ? 0 : 2;
} else {
  const { bench } = await benchmark.load();
  const result = await bench({ runs: Number(values.runs), cold: values.cold });
  console.log(result.text);
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(result.figures, undefined, 2)}\n`);
}
