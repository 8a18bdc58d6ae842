import { expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectSpecSchema, type SpecValue } from '../../src/modules/projects/domain/project-spec.js';
import { ROOT } from './support/bundled-ports.js';
import { getText } from './support/http.js';
import { describeLifecycle } from './support/lifecycle.js';
import type { PortInstance } from './support/port-instance.js';

const spec = projectSpecSchema.parse(parse(readFileSync(join(ROOT, 'examples/node-red/hithe.yaml'), 'utf8')));
const editor = spec.components['editor'];
if (editor?.version === undefined) throw new Error('examples/node-red has no component "editor" with a version');

/** The vars, none of which is kept elsewhere. */
function varsOf(vars: Record<string, SpecValue>): Record<string, string | number | boolean> {
  return Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, typeof value === 'object' ? value.from : value]));
}

/** Deploys a flow that answers `value` at /said. */
async function write(instance: PortInstance, value: string): Promise<void> {
  const flow = [
    { id: 'tab', type: 'tab', label: 'test' },
    { id: 'in', type: 'http in', z: 'tab', url: '/said', method: 'get', wires: [['say']] },
    { id: 'say', type: 'template', z: 'tab', field: 'payload', template: value, wires: [['out']] },
    { id: 'out', type: 'http response', z: 'tab', wires: [] },
  ];
  const response = await fetch(`${instance.url}/flows`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Node-RED-Deployment-Type': 'full' },
    body: JSON.stringify(flow),
  });
  expect(response.status).toBe(204);
}

const read = (instance: PortInstance): Promise<string> => getText(`${instance.url}/said`);

// The example as it is: the published package, unmodified.
describeLifecycle({ port: editor.port, version: editor.version, vars: varsOf(editor.vars), write, read }, (instance) => {
  it('shows its editor', async () => {
    expect(await getText(instance().url)).toContain('<title>Node-RED</title>');
  });
});
