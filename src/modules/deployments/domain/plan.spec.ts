import { describe, expect, it } from '@jest/globals';
import { fixturePorts } from '../../../../test/support/fixture-ports.js';
import { parseProjectSpec } from '../../projects/domain/parse-spec.js';
import { resolveComponents, type ResolvedComponent } from '../../projects/domain/resolved-component.js';
import { deployActions, restartActions, startActions, stopActions, stopEffects, type CurrentComponent } from './actions.js';
import { buildPlan, type PlanInput } from './plan.js';

function resolve(change: Record<string, Record<string, unknown>> = {}): ResolvedComponent[] {
  const components: Record<string, Record<string, unknown>> = {
    db: { port: 'postgres', version: '17' },
    cache: { port: 'valkey' },
    web: {
      port: 'nodejs-app',
      source: { path: '.', digest: `sha256-${'a'.repeat(64)}` },
      needs: ['db', 'cache'],
      env: { URL: '${db.POSTGRES_URL}' },
    },
  };
  for (const [name, values] of Object.entries(change)) components[name] = { ...components[name], ...values };
  const parsed = parseProjectSpec({ name: 'guestbook', components });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  return resolveComponents(parsed.spec, fixturePorts, { secretVersion: () => undefined, variables: [], copyVersion: () => undefined });
}

const running = (components: ResolvedComponent[]): CurrentComponent[] =>
  components.map((resolved) => ({ allocationId: `${resolved.name}-1`, resolved, desired: 'running', observedState: 'running' }));
const shown = (actions: { component: string; action: string }[]) => actions.map((action) => `${action.action} ${action.component}`);

describe('what a deployment does', () => {
  it('creates in the order of needs', () => {
    expect(shown(deployActions(resolve(), []))).toEqual(['create db', 'create cache', 'create web']);
  });

  it('does nothing to what is the same', () => {
    expect(deployActions(resolve(), running(resolve()))).toEqual([]);
  });

  it('restarts a dependant only when what it reads changes', () => {
    expect(shown(deployActions(resolve({ db: { vars: { POSTGRES_DB: 'b' } } }), running(resolve())))).toEqual(['update db', 'restart web']);
    expect(shown(deployActions(resolve({ cache: { vars: { MAXMEMORY: '1mb' } } }), running(resolve())))).toEqual(['update cache']);
  });

  it('starts what somebody stopped or what failed', () => {
    const current = running(resolve()).map((component): CurrentComponent =>
      component.resolved.name === 'db' ? { ...component, desired: 'stopped' } : component,
    );
    expect(shown(deployActions(resolve(), current))).toEqual(['start db']);
    expect(shown(startActions(current, ['web']))).toEqual(['start db']);
    expect(shown(restartActions(current, []))).toEqual(['start db', 'restart cache', 'restart web']);
  });

  it('removes what left the project', () => {
    expect(
      shown(
        deployActions(
          resolve().filter((component) => component.name === 'db'),
          running(resolve()),
        ),
      ),
    ).toEqual(['remove cache', 'remove web']);
  });

  it('says what a stop means to dependants', () => {
    const current = running(resolve());
    expect(stopEffects(current, stopActions(current, ['cache']))).toEqual(['web needs cache and keeps running without.']);
    expect(stopEffects(current, stopActions(current, []))).toEqual([]);
  });

  it('refuses components that do not exist, and a project that was never deployed', () => {
    expect(() => stopActions(running(resolve()), ['nope'])).toThrow(expect.objectContaining({ code: 'COMPONENT_UNKNOWN' }));
    expect(() => startActions([], [])).toThrow(expect.objectContaining({ code: 'PROJECT_NOT_DEPLOYED' }));
  });
});

describe('a plan', () => {
  const input = (change: Partial<PlanInput>): PlanInput => ({
    project: 'guestbook',
    faults: [],
    wanted: resolve(),
    current: [],
    stateful: (port) => port !== 'nodejs-app',
    leases: [],
    facts: {
      listeners: [{ address: '0.0.0.0', port: 8080, uid: 0, pid: 42, process: 'nginx' }],
      closures: [{ port: 'postgres', version: '17', installed: true, resolvedVersion: '17.6' }],
    },
    ...change,
  });

  it('says what changes and which versions resolve', () => {
    const plan = buildPlan(input({}));
    expect(plan.ok).toBe(true);
    expect(plan.changes.map((change) => change.action)).toEqual(['create', 'create', 'create']);
    expect(plan.versions).toContainEqual({ component: 'db', port: 'postgres', version: '17', resolvedVersion: '17.6', installed: true });
    expect(plan.versions).toContainEqual({ component: 'cache', port: 'valkey', version: '9', installed: false });
  });

  it('says who holds a network port', () => {
    const plan = buildPlan(input({ wanted: resolve({ web: { listen: { http: 8080 } } }) }));
    expect(plan.ok).toBe(false);
    expect(plan.checks).toContainEqual(
      expect.objectContaining({
        check: 'listen',
        component: 'web',
        status: 'error',
        message: '8080 for "http" is held by "nginx" (pid 42) of uid 0 on 0.0.0.0.',
      }),
    );
  });

  it('names no other project that leases a network port', () => {
    const plan = buildPlan(
      input({
        wanted: resolve({ web: { listen: { http: 9000 } } }),
        leases: [{ address: '127.0.0.1', port: 9000, own: false, component: 'secret' }],
      }),
    );
    expect(JSON.stringify(plan.checks)).not.toContain('secret');
    expect(plan.ok).toBe(false);
  });

  it('warns where data meets another version', () => {
    const plan = buildPlan(input({ wanted: resolve({ db: { version: '18' } }), current: running(resolve()) }));
    expect(plan.ok).toBe(true);
    expect(plan.checks).toContainEqual(expect.objectContaining({ check: 'data', component: 'db', status: 'warn' }));
  });

  it('carries faults as failed checks with their mend, and then changes nothing', () => {
    const plan = buildPlan(
      input({
        faults: [{ path: 'components.db.port', code: 'PORT_UNKNOWN', message: 'There is no port "x".', fix: 'Use y.' }],
        wanted: [],
      }),
    );
    expect(plan).toMatchObject({
      ok: false,
      changes: [],
      checks: [{ check: 'PORT_UNKNOWN', component: 'db', status: 'error', fix: 'Use y.' }],
    });
  });
});
