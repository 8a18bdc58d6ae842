import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ALLOCATION_STATES } from '../../../link/messages.js';
import { deploymentMachine, type ActionKind, type DeploymentKind } from './deployment.js';
import { simulate, type SimulatedComponent, type Simulation } from '../../../../test/support/simulation.js';

const ACTIONS: Record<DeploymentKind, (ActionKind | 'none')[]> = {
  deploy: ['create', 'update', 'start', 'restart', 'remove', 'none'],
  start: ['start'],
  stop: ['stop'],
  restart: ['restart', 'start'],
  delete: ['remove'],
};

const event = fc.record({
  which: fc.nat(),
  state: fc.constantFrom(...ALLOCATION_STATES),
  health: fc.constantFrom('unknown' as const, 'healthy' as const, 'unhealthy' as const),
  stale: fc.boolean(),
  restarts: fc.nat(2),
  pass: fc.integer({ min: 0, max: 400_000 }),
  cancel: fc.integer({ min: 0, max: 60 }).map((n) => n === 0),
});

const project = fc.constantFrom<DeploymentKind>('deploy', 'start', 'stop', 'restart', 'delete').chain((kind) =>
  fc.record({
    kind: fc.constant(kind),
    components: fc
      .array(fc.record({ action: fc.constantFrom(...ACTIONS[kind]), needs: fc.array(fc.nat(5), { maxLength: 3 }) }), {
        minLength: 1,
        maxLength: 5,
      })
      .map((rows) =>
        rows.map((row, index): SimulatedComponent => ({
          name: `c${index}`,
          action: row.action,
          needs: [...new Set(row.needs.filter((need) => need < index))].map((need) => `c${need}`),
        })),
      ),
    events: fc.array(event, { maxLength: 60 }),
  }),
);

function onlyOneWanted(s: Simulation): void {
  const running = s.situation.allocations
    .filter((allocation) => allocation.desired === 'running')
    .map((allocation) => allocation.component);
  expect(new Set(running).size).toBe(running.length);
}

describe('decisions on anything that nodes may say', () => {
  it('never want two running allocations of a component, always end, and leave the old wanted after a failure', () => {
    fc.assert(
      fc.property(project, ({ kind, components, events }) => {
        const s = simulate({ kind, components });
        s.decide();
        onlyOneWanted(s);
        for (const step of events) {
          if (step.cancel) s.cancel();
          const target = s.situation.allocations[step.which % Math.max(1, s.situation.allocations.length)];
          if (target !== undefined)
            s.report(target.id, { state: step.state, health: step.health, restarts: step.restarts, ...(step.stale ? { epoch: 0 } : {}) });
          onlyOneWanted(s);
          s.pass(step.pass);
          onlyOneWanted(s);
        }
        let turns = 0;
        while (!deploymentMachine.isFinal(s.state)) {
          expect(s.wakeAt).toBeDefined();
          s.pass(Math.max(0, (s.wakeAt ?? 0) - s.situation.now));
          onlyOneWanted(s);
          turns += 1;
          expect(turns).toBeLessThan(60);
        }
        if (kind === 'deploy' && s.state !== 'succeeded') {
          for (const component of components) {
            if (component.action === 'create') expect(s.desired()[`${component.name}-new`] ?? 'removed').toBe('removed');
            else expect(s.desired()[`${component.name}-old`]).toBe('running');
          }
        }
        if (s.state === 'succeeded' && kind === 'deploy') expect(s.promoted).toBe(true);
        if (s.state === 'failed' || s.state === 'rolled_back') expect(s.failure).toBeDefined();
      }),
      { numRuns: 400 },
    );
  });
});
