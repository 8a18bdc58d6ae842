import type { Fault } from '../../../common/domain-error.js';
import type { Listener, PlanFacts } from '../../../link/messages.js';
import type { ResolvedComponent } from '../../projects/domain/resolved-component.js';
import type { ComponentAction } from './deployment.js';
import { deployActions, type CurrentComponent } from './actions.js';

export interface PlanChange {
  component: string;
  action: 'create' | 'update' | 'restart' | 'none' | 'remove';
  reasons: string[];
}
export interface PlanVersion {
  component: string;
  port: string;
  version: string;
  resolvedVersion?: string;
  installed: boolean;
}
export interface PlanCheck {
  check: string;
  component?: string;
  status: 'ok' | 'warn' | 'error';
  message: string;
  fix?: string;
}
/** What a deploy would do, with the answer of every check. `ok`: no check is an error. */
export interface Plan {
  project: string;
  changes: PlanChange[];
  versions: PlanVersion[];
  checks: PlanCheck[];
  ok: boolean;
}

/** A lease of a network port by whichever project of the installation. */
export interface LeaseHolder {
  address: string;
  port: number;
  /** Whether the project of this plan holds it. */
  own: boolean;
  component: string;
}

export interface PlanInput {
  project: string;
  faults: Fault[];
  /** Empty when there are faults. */
  wanted: ResolvedComponent[];
  current: CurrentComponent[];
  stateful: (port: string) => boolean;
  leases: LeaseHolder[];
  /** What was found of the team's quota. */
  quota?: PlanCheck[];
  /** Undefined when no node answered. */
  facts?: PlanFacts;
  /** Why there are no facts. */
  factsMissing?: string;
}

/** Puts a plan together; changes nothing. Faults of the project come as failed checks, each with its mend. */
export function buildPlan(input: PlanInput): Plan {
  const actions = input.faults.length > 0 ? [] : deployActions(input.wanted, input.current);
  const checks = [...faultChecks(input.faults), ...(input.quota ?? []), ...nodeChecks(input), ...listenChecks(input), ...dataChecks(input)];
  if (input.faults.length === 0) checks.unshift({ check: 'specification', status: 'ok', message: 'The project file is valid.' });
  return {
    project: input.project,
    changes: input.faults.length > 0 ? [] : changesOf(input.wanted, actions),
    versions: versionsOf(input),
    checks,
    ok: checks.every((check) => check.status !== 'error'),
  };
}

function changesOf(wanted: readonly ResolvedComponent[], actions: readonly ComponentAction[]): PlanChange[] {
  const changes = wanted.map((component): PlanChange => {
    const action = actions.find((candidate) => candidate.component === component.name);
    if (action === undefined) return { component: component.name, action: 'none', reasons: [] };
    const shown = action.action === 'create' || action.action === 'update' ? action.action : 'restart';
    return { component: component.name, action: shown, reasons: action.reasons };
  });
  const removed = actions.filter((action) => action.action === 'remove');
  return [...changes, ...removed.map((action): PlanChange => ({ component: action.component, action: 'remove', reasons: action.reasons }))];
}

function versionsOf(input: PlanInput): PlanVersion[] {
  return input.wanted.map((component) => {
    const fact = input.facts?.closures.find((closure) => closure.port === component.port && closure.version === component.version);
    return {
      component: component.name,
      port: component.port,
      version: component.version,
      ...(fact?.resolvedVersion === undefined ? {} : { resolvedVersion: fact.resolvedVersion }),
      installed: fact?.installed ?? false,
    };
  });
}

/** The component that a place in the project file belongs to. */
function componentOf(path: string): string | undefined {
  return /^components\.([^.[]+)/.exec(path)?.[1];
}

function faultChecks(faults: readonly Fault[]): PlanCheck[] {
  return faults.map((fault) => {
    const component = componentOf(fault.path);
    return {
      check: fault.code,
      ...(component === undefined ? {} : { component }),
      status: 'error',
      message: fault.path === '' ? fault.message : `${fault.path}: ${fault.message}`,
      ...(fault.fix === undefined ? {} : { fix: fault.fix }),
    };
  });
}

function nodeChecks(input: PlanInput): PlanCheck[] {
  if (input.facts !== undefined || input.factsMissing === undefined) return [];
  return [
    {
      check: 'node',
      status: 'warn',
      message: input.factsMissing,
      fix: 'Check that the agent runs (`hithe health`); a deployment waits until it is connected.',
    },
  ];
}

function listenChecks(input: PlanInput): PlanCheck[] {
  return input.wanted.flatMap((component) =>
    Object.entries(component.listen).map(([endpoint, port]) => listenCheck(input, component, endpoint, port)),
  );
}

function listenCheck(input: PlanInput, component: ResolvedComponent, endpoint: string, port: number): PlanCheck {
  const base = { check: 'listen', component: component.name };
  const lease = input.leases.find((candidate) => candidate.port === port);
  const fix = 'Choose another network port with `listen`, or leave `listen` out to get a free one.';
  if (lease !== undefined && !lease.own) {
    return { ...base, status: 'error', message: `${port} for "${endpoint}" is leased to a component of another project.`, fix };
  }
  if (lease !== undefined && lease.component !== component.name) {
    return {
      ...base,
      status: 'error',
      message: `${port} for "${endpoint}" is used by the component "${lease.component}" of this project.`,
      fix,
    };
  }
  const stranger = lease === undefined ? input.facts?.listeners.find((listener) => listener.port === port) : undefined;
  if (stranger !== undefined)
    return { ...base, status: 'error', message: `${port} for "${endpoint}" is held by ${describeListener(stranger)}.`, fix };
  if (input.facts === undefined && lease === undefined)
    return { ...base, status: 'warn', message: `Whether ${port} for "${endpoint}" is free is not known: no node answered.` };
  return {
    ...base,
    status: 'ok',
    message: lease === undefined ? `${port} for "${endpoint}" is free.` : `${port} for "${endpoint}" is already this component's.`,
  };
}

/** Who holds a network port, in words. */
export function describeListener(listener: Listener): string {
  const who = listener.process === undefined ? 'a process' : `"${listener.process}"`;
  const pid = listener.pid === undefined ? '' : ` (pid ${listener.pid})`;
  return `${who}${pid} of uid ${listener.uid} on ${listener.address}`;
}

function dataChecks(input: PlanInput): PlanCheck[] {
  return input.wanted.flatMap((component): PlanCheck[] => {
    const before = input.current.find(
      (candidate) => candidate.resolved.name === component.name && candidate.desired !== 'removed',
    )?.resolved;
    if (before === undefined || !input.stateful(component.port) || (before.port === component.port && before.version === component.version))
      return [];
    return [
      {
        check: 'data',
        component: component.name,
        status: 'warn',
        message: `${component.name} keeps data, written by ${before.port} ${before.version}; ${component.port} ${component.version} may refuse to read it. The old version stays if it does.`,
        fix: 'Dump the data first, or give the new version a component of its own.',
      },
    ];
  });
}
