import { DomainError } from '../../../common/domain-error.js';
import { startOrder, withNeeds, type Needs } from '../../projects/domain/needs-graph.js';
import { differences, exportsMayChange, readsFrom, type ResolvedComponent } from '../../projects/domain/resolved-component.js';
import { listed } from '../../projects/domain/suggest.js';
import type { AllocationState } from '../../../link/messages.js';
import type { Desired } from './situation.js';
import { stepsOf, type ActionKind, type ComponentAction } from './deployment.js';

/** A component as it is now: its allocation, what that was made from, and what the node says. */
export interface CurrentComponent {
  allocationId: string;
  resolved: ResolvedComponent;
  desired: Desired;
  observedState?: AllocationState;
}

type NewAction = Pick<ComponentAction, 'component' | 'action' | 'reasons' | 'needs'> & { current?: CurrentComponent };

function toAction(planned: NewAction): ComponentAction {
  const { current, ...rest } = planned;
  const oldDesired = current?.desired === 'running' || current?.desired === 'stopped' ? current.desired : undefined;
  return {
    ...rest,
    ...(current === undefined ? {} : { oldId: current.allocationId }),
    ...(oldDesired === undefined ? {} : { oldDesired }),
    phase: 'pending',
    steps: stepsOf(planned.action),
  };
}

function graph(components: readonly ResolvedComponent[]): Needs {
  return Object.fromEntries(components.map((component) => [component.name, component.needs]));
}

function byOrder<T extends { component: string }>(items: T[], order: readonly string[]): T[] {
  return [...items].sort((a, b) => order.indexOf(a.component) - order.indexOf(b.component));
}

/**
 * What a deploy does to each component: nothing to those that are the same and run. In the order of starting, then
 * what is removed. `newId` is not set yet.
 */
export function deployActions(wanted: readonly ResolvedComponent[], current: readonly CurrentComponent[]): ComponentAction[] {
  const now = new Map(
    current.filter((component) => component.desired !== 'removed').map((component) => [component.resolved.name, component]),
  );
  const shifting = wanted.filter((component) => {
    const before = now.get(component.name)?.resolved;
    return before !== undefined && exportsMayChange(before, component);
  });
  const actions = wanted.flatMap((component) => deployAction(component, now.get(component.name), shifting));
  const kept = new Set(wanted.map((component) => component.name));
  const gone = [...now.values()].filter((component) => !kept.has(component.resolved.name));
  const removals = gone.map((component) =>
    toAction({
      component: component.resolved.name,
      action: 'remove',
      reasons: ['no longer in the project'],
      needs: component.resolved.needs,
      current: component,
    }),
  );
  return [
    ...byOrder(actions, startOrder(graph(wanted))),
    ...byOrder(removals, startOrder(graph(gone.map((component) => component.resolved)))),
  ];
}

function deployAction(
  component: ResolvedComponent,
  current: CurrentComponent | undefined,
  shifting: readonly ResolvedComponent[],
): ComponentAction[] {
  const base = { component: component.name, needs: component.needs };
  if (current === undefined) return [toAction({ ...base, action: 'create', reasons: ['new in the project'] })];
  const reasons = differences(current.resolved, component);
  if (reasons.length > 0) return [toAction({ ...base, action: 'update', reasons, current })];
  const ill = illness(current);
  if (ill !== undefined) return [toAction({ ...base, action: 'start', reasons: [ill], current })];
  const sources = shifting.filter((other) => component.needs.includes(other.name) && readsFrom(component, other.name));
  if (sources.length === 0) return [];
  return [toAction({ ...base, action: 'restart', reasons: sources.map((other) => `${other.name} changes what it exports`), current })];
}

/** Why a component that should run has to be started; undefined when it runs. */
function illness(current: CurrentComponent): string | undefined {
  if (current.desired !== 'running') return 'it is stopped';
  if (current.observedState === 'failed') return 'it has failed';
  return current.observedState === 'restarting' ? 'it keeps ending' : undefined;
}

/** Starts what is stopped or ill, with everything it needs; nothing to those that run. */
export function startActions(current: readonly CurrentComponent[], scope: readonly string[]): ComponentAction[] {
  const live = liveOf(current, scope);
  const needs = graph(live.map((component) => component.resolved));
  const chosen = withNeeds(scope.length === 0 ? Object.keys(needs) : scope, needs);
  return simple(
    live.filter((component) => chosen.has(component.resolved.name)),
    needs,
    (component) => {
      const reason = illness(component);
      return reason === undefined ? undefined : { action: 'start', reason };
    },
  );
}

/** Stops what is wanted running; dependants keep running, unless they are stopped too. */
export function stopActions(current: readonly CurrentComponent[], scope: readonly string[]): ComponentAction[] {
  const live = liveOf(current, scope);
  const needs = graph(live.map((component) => component.resolved));
  return simple(inScope(live, scope), needs, (component) =>
    component.desired === 'stopped' ? undefined : { action: 'stop', reason: 'asked for' },
  );
}

/** Restarts what runs and starts what does not. */
export function restartActions(current: readonly CurrentComponent[], scope: readonly string[]): ComponentAction[] {
  const live = liveOf(current, scope);
  const needs = graph(live.map((component) => component.resolved));
  return simple(inScope(live, scope), needs, (component) => ({
    action: component.desired === 'running' ? 'restart' : 'start',
    reason: 'asked for',
  }));
}

/** Removes everything, what an earlier deployment left behind included. */
export function deleteActions(current: readonly CurrentComponent[]): ComponentAction[] {
  const needs = graph(current.map((component) => component.resolved));
  return simple(current, needs, () => ({ action: 'remove', reason: 'the project is deleted' }));
}

/** For each component that runs although something it needs is being stopped: a sentence that says so. */
export function stopEffects(current: readonly CurrentComponent[], actions: readonly ComponentAction[]): string[] {
  const stopped = new Set(actions.map((action) => action.component));
  return current.flatMap((component) => {
    if (component.desired !== 'running' || stopped.has(component.resolved.name)) return [];
    const missing = component.resolved.needs.filter((need) => stopped.has(need));
    return missing.length === 0 ? [] : [`${component.resolved.name} needs ${missing.join(' and ')} and keeps running without.`];
  });
}

function simple(
  components: readonly CurrentComponent[],
  needs: Needs,
  choose: (component: CurrentComponent) => { action: ActionKind; reason: string } | undefined,
): ComponentAction[] {
  const actions = components.flatMap((component) => {
    const chosen = choose(component);
    if (chosen === undefined) return [];
    return [
      toAction({
        component: component.resolved.name,
        action: chosen.action,
        reasons: [chosen.reason],
        needs: component.resolved.needs,
        current: component,
      }),
    ];
  });
  return byOrder(actions, startOrder(needs));
}

function liveOf(current: readonly CurrentComponent[], scope: readonly string[]): CurrentComponent[] {
  const live = current.filter((component) => component.desired !== 'removed');
  const names = live.map((component) => component.resolved.name);
  if (live.length === 0) {
    throw new DomainError('conflict', 'PROJECT_NOT_DEPLOYED', 'Nothing of this project has been deployed yet.', {
      fix: 'Deploy it first: `hithe deploy NAME`.',
    });
  }
  const unknown = scope.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new DomainError('invalid', 'COMPONENT_UNKNOWN', `This project has no component ${listed(unknown)}.`, {
      fix: `Its components: ${listed(names)}.`,
    });
  }
  return live;
}

function inScope(live: readonly CurrentComponent[], scope: readonly string[]): CurrentComponent[] {
  return scope.length === 0 ? [...live] : live.filter((component) => scope.includes(component.resolved.name));
}
