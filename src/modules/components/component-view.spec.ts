import { describe, expect, it } from '@jest/globals';
import type { ObservedAllocation } from '../../link/messages.js';
import type { AllocationRecord } from '../nodes/domain/allocation.js';
import { parseProjectSpec } from '../projects/domain/parse-spec.js';
import { componentViews, overallHealth, type ViewContext } from './component-view.js';

const parsed = parseProjectSpec({ name: 'p', components: { db: { port: 'postgres' }, web: { port: 'nodejs-app', needs: ['db'] } } });
if (!parsed.ok) throw new Error('the specification is valid');
const { spec } = parsed;

function context(connected = true): ViewContext {
  return { spec, node: () => ({ name: 'local', connected }), protocol: (_port, endpoint) => (endpoint === 'http' ? 'http' : 'tcp') };
}

function allocation(
  component: string,
  desired: AllocationRecord['desired'],
  observed: Partial<ObservedAllocation> | null,
): AllocationRecord {
  const full =
    observed === null ? null : { id: component, epoch: 1, restartNonce: 0, state: 'running', health: 'healthy', restarts: 0, ...observed };
  const resolved = { port: component === 'db' ? 'postgres' : 'nodejs-app', version: '1', needs: component === 'web' ? ['db'] : [] };
  const listen = component === 'web' ? { http: { address: '127.0.0.1', port: 20_000 } } : {};
  return { component, desired, observed: full, resolved, listen, nodeId: 'n' } as unknown as AllocationRecord;
}

describe('the view of components', () => {
  it('shows what is not deployed yet', () => {
    const views = componentViews([], context());
    expect(views.map((view) => [view.name, view.state, view.health])).toEqual([
      ['db', 'new', 'unknown'],
      ['web', 'new', 'unknown'],
    ]);
    expect(overallHealth(views)).toBe('unknown');
  });

  it('shows addresses of what runs, and a process only while there is one', () => {
    const [db, web] = componentViews(
      [allocation('db', 'running', { pid: 1 }), allocation('web', 'running', { state: 'failed', pid: 2, exit: { code: 1 } })],
      context(),
    );
    expect(db).toMatchObject({ pid: 1, health: 'healthy' });
    expect(web).toMatchObject({ health: 'unhealthy', exit: { code: 1 }, endpoints: [{ url: 'http://127.0.0.1:20000/' }] });
    expect(web).not.toHaveProperty('pid');
  });

  it('tells stopped from failed, and what that means to others', () => {
    const views = componentViews(
      [allocation('db', 'stopped', { state: 'stopped', health: 'unknown' }), allocation('web', 'running', {})],
      context(),
    );
    expect(views[0]).toMatchObject({ health: 'stopped', healthMessage: 'stopped on request' });
    expect(views[1]).toMatchObject({ health: 'healthy', effect: 'runs without db (stopped), which it needs' });
    expect(overallHealth(views)).toBe('unhealthy');
    expect(overallHealth(views.slice(0, 1))).toBe('stopped');
  });

  it('prefers what runs over what is being prepared or removed', () => {
    const rows = [
      allocation('db', 'removed', { state: 'stopping' }),
      allocation('db', 'running', {}),
      allocation('db', 'prepared', { state: 'preparing' }),
    ];
    expect(componentViews(rows, context())[0]).toMatchObject({ state: 'running' });
  });

  it('claims nothing about a node that is away', () => {
    const views = componentViews([allocation('db', 'running', {}), allocation('web', 'running', {})], context(false));
    expect(views.map((view) => view.health)).toEqual(['unknown', 'unknown']);
    expect(overallHealth(views)).toBe('unknown');
  });
});
