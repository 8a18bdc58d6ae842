import { HitheApiError, type PortDetail, dataOf } from '@hithe/client';
import { CliError } from '../cli-error.js';
import type { Context } from '../context.js';
import { EXIT } from '../exit-codes.js';
import { columns } from '../ui/columns.js';
import type { Colors } from '../ui/style.js';
import { nearest } from '../ui/suggest.js';

/** `hithe ports`: what components can be made of; with a name, that port's versions, vars and exports. */
export async function ports(context: Context, name: string | undefined): Promise<void> {
  if (name !== undefined) return one(context, name);
  const { api } = await context.client();
  const { items } = await dataOf(api.GET('/api/v1/ports'));
  context.show(items, () =>
    columns([['PORT', 'VERSIONS', 'DESCRIPTION'], ...items.map((port) => [port.name, port.versions.join(' '), port.description])]),
  );
}

async function one(context: Context, name: string): Promise<void> {
  const { api } = await context.client();
  const port = await dataOf(api.GET('/api/v1/ports/{name}', { params: { path: { name } } })).catch(async (error: unknown) => {
    if (!(error instanceof HitheApiError) || error.status !== 404) throw error;
    const { items } = await dataOf(api.GET('/api/v1/ports'));
    const near = nearest(
      name,
      items.map((each) => each.name),
    );
    throw new CliError(EXIT.notFound, `There is no port "${name}".`, {
      code: 'PORT_NOT_FOUND',
      fix: near === undefined ? 'hithe ports' : `hithe ports ${near}`,
    });
  });
  context.show(port, () => portText(port, context.colors));
}

function portText(port: PortDetail, colors: Colors): string {
  const lines = [`${colors.bold(port.title)} (${port.name}, ${port.kind})`, port.description, `Versions: ${port.versions.join(', ')}`];
  if (port.exports.length > 0) lines.push(`Exports: ${port.exports.join(', ')}`);
  const rows = port.vars.map(({ name, type, description, ...about }) => [name, type, defaultOf(about), description]);
  const head = `${lines.join('\n')}\n`;
  return rows.length === 0 ? head : `${head}\n${columns([['VAR', 'TYPE', 'DEFAULT', ''], ...rows])}`;
}

function defaultOf({
  default: value,
  required,
  secret,
  generated,
}: Omit<PortDetail['vars'][number], 'name' | 'type' | 'description'>): string {
  if (generated) return 'generated';
  if (required) return 'required';
  return value ?? (secret ? 'secret' : '');
}
