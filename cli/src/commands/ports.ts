import { type Port, allItems, dataOf } from '@hithe/client';
import { CliError } from '../cli-error.js';
import type { Context } from '../context.js';
import { EXIT } from '../exit-codes.js';
import { columns } from '../ui/columns.js';
import type { Colors } from '../ui/style.js';
import { nearest } from '../ui/suggest.js';

/** `hithe ports`: what components can be made of; with a name, that port's versions and vars. */
export async function ports(context: Context, name: string | undefined): Promise<void> {
  const { api } = await context.client();
  if (name !== undefined) return one(context, name);
  const all = await allItems((cursor) => dataOf(api.GET('/api/v1/ports', { params: { query: cursor === undefined ? {} : { cursor } } })));
  context.show(all, () => columns([['PORT', 'VERSIONS', 'DESCRIPTION'], ...all.map((port) => [port.name, port.versions.join(' '), port.description])]));
}

async function one(context: Context, name: string): Promise<void> {
  const { api } = await context.client();
  const port = await dataOf(api.GET('/api/v1/ports/{name}', { params: { path: { name } } })).catch(async (error: unknown) => {
    if (!(error instanceof Error && 'status' in error && error.status === 404)) throw error;
    const { items } = await dataOf(api.GET('/api/v1/ports', { params: { query: {} } }));
    const near = nearest(
      name,
      items.map((each) => each.name),
    );
    throw new CliError(EXIT.notFound, `There is no port "${name}".`, { code: 'PORT_NOT_FOUND', fix: near === undefined ? 'hithe ports' : `hithe ports ${near}` });
  });
  context.show(port, () => portText(port, context.colors));
}

interface VarSchema {
  type?: string;
  description?: string;
  default?: unknown;
  writeOnly?: boolean;
}

function portText(port: Port, colors: Colors): string {
  const head = `${colors.bold(port.title)} (${port.name}, ${port.kind})\n${port.description}\nVersions: ${port.versions.join(', ')}\n`;
  const properties = (port.varsSchema?.['properties'] ?? {}) as Record<string, VarSchema>;
  const rows = Object.entries(properties).map(([name, schema]) => [
    name,
    schema.type ?? '',
    schema.writeOnly === true ? 'secret' : schema.default === undefined ? '' : JSON.stringify(schema.default),
    schema.description ?? '',
  ]);
  return rows.length === 0 ? head : `${head}\n${columns([['VAR', 'TYPE', 'DEFAULT', ''], ...rows])}`;
}
