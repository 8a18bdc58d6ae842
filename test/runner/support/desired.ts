import { type AddressInfo, createServer } from 'node:net';
import { newId } from '../../../src/common/ids.js';
import { type DesiredAllocation, desiredAllocationSchema } from '../../../src/link/messages.js';

export const PROJECT_ID = newId();

/** An allocation of a fixture port, wanted to run, with every field that a test does not care for. */
export function desired(patch: Partial<DesiredAllocation> & { port: string }): DesiredAllocation {
  const health = { interval: 1, timeout: 5, startPeriod: 10, retries: 1 };
  return desiredAllocationSchema.parse({
    id: newId(),
    epoch: 1,
    desired: 'running',
    tenant: { number: 7, slug: 'acme' },
    projectId: PROJECT_ID,
    project: 'shop',
    component: patch.port,
    release: 1,
    version: '24',
    vars: {},
    env: {},
    needs: {},
    listen: {},
    health,
    ...patch,
  });
}

/** An `ok` server on a free network port. */
export async function ok(patch: Partial<DesiredAllocation> = {}): Promise<DesiredAllocation> {
  return desired({ port: 'ok', listen: { http: { address: '127.0.0.1', port: await freePort() } }, ...patch });
}

/** A network port that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** What an `ok` server answers. */
export async function ask(allocation: DesiredAllocation, path = '/'): Promise<string> {
  const { address = '', port = 0 } = allocation.listen['http'] ?? {};
  return (await fetch(`http://${address}:${port}${path}`)).text();
}
