import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { dataOf } from '@hithe/client';
import { usageError } from '../cli-error.js';
import type { Context } from '../context.js';
import type { ExitCode } from '../exit-codes.js';
import { concludeChanges, lineOf, open, scope, type SecretOptions } from './secrets.js';

/** `hithe secrets import`: sets what a `.env` file names, or says what would change. */
export async function importVariables(
  context: Context,
  file: string,
  options: SecretOptions & { dryRun?: boolean; prune?: boolean },
): Promise<ExitCode | undefined> {
  const text = await textOf(context, file);
  const project = await open(context, options);
  const { changes } = await dataOf(
    project.api.POST('/api/v1/projects/{projectId}/variables/import', {
      params: { path: { projectId: project.id } },
      body: {
        ...scope(options),
        text,
        kind: options.plain === true ? 'plain' : 'secret',
        prune: options.prune === true,
        dryRun: options.dryRun === true,
      },
    }),
  );
  if (options.dryRun !== true) return concludeChanges(context, project, changes, options);
  context.show({ changes, dryRun: true }, () => changes.map((change) => `${lineOf(change)}\n`).join(''));
  context.note('Nothing was changed.');
  return undefined;
}

/** `hithe secrets export`: a `.env` file of what is set, for the caller's eyes only. */
export async function exportVariables(context: Context, options: SecretOptions & { output?: string }): Promise<void> {
  const { api, id, name } = await open(context, options);
  const { text, count } = await dataOf(
    api.POST('/api/v1/projects/{projectId}/variables/export', { params: { path: { projectId: id } }, body: scope(options) }),
  );
  if (options.output === undefined) {
    context.show({ text, count }, () => text);
    return;
  }
  try {
    await writeFile(resolve(context.io.cwd, options.output), text, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw usageError(`${options.output} is there already; nothing was written.`, { fix: 'Name another file, or remove it.' });
  }
  context.show({ file: options.output, count }, () => `${count} variables of ${name} are in ${options.output ?? ''}.`);
}

async function textOf(context: Context, file: string): Promise<string> {
  if (file !== '-') {
    try {
      return await readFile(resolve(context.io.cwd, file), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw usageError(`There is no file ${file}.`, { code: 'FILE_NOT_FOUND' });
    }
  }
  const chunks: Buffer[] = [];
  for await (const chunk of context.io.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
