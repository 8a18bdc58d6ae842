import type { ComponentAction, DeploymentState, Failure, Step } from './deployment.js';
import { deploymentMachine } from './deployment.js';
import type { Decision } from './situation.js';

/** What a deployment was before a decision. */
interface Before {
  state: DeploymentState;
  actions: ComponentAction[];
}

interface HistoryEvent {
  type: 'state' | 'component' | 'log' | 'end';
  data: Record<string, unknown>;
}

/** What a decision adds to the history: each step that moved, lines, the new state, and the end. */
export function eventsOf(before: Before, decision: Decision): HistoryEvent[] {
  const events: HistoryEvent[] = decision.actions.flatMap((action) =>
    stepEvents(
      before.actions.find((other) => isSame(other, action)),
      action,
    ),
  );
  events.push(...decision.log.map((text): HistoryEvent => ({ type: 'log', data: { text } })));
  if (before.state === decision.state) return events;
  events.push({ type: 'state', data: { state: decision.state } });
  if (decision.failure !== undefined && decision.state === 'aborting') events.push({ type: 'log', data: failureLine(decision.failure) });
  if (deploymentMachine.isFinal(decision.state)) {
    events.push({ type: 'end', data: { state: decision.state, ...(decision.failure === undefined ? {} : { failure: decision.failure }) } });
  }
  return events;
}

function isSame(a: ComponentAction, b: ComponentAction): boolean {
  return a.component === b.component && a.action === b.action && a.oldId === b.oldId && a.newId === b.newId;
}

function stepEvents(before: ComponentAction | undefined, after: ComponentAction): HistoryEvent[] {
  return after.steps.flatMap((step): HistoryEvent[] => {
    const old = before?.steps.find((candidate) => candidate.step === step.step);
    return old !== undefined && looks(old) === looks(step) ? [] : [{ type: 'component', data: { component: after.component, ...step } }];
  });
}

function looks(step: Step): string {
  return JSON.stringify([step.state, step.message]);
}

function failureLine(failure: Failure): Record<string, unknown> {
  return { ...(failure.component === undefined ? {} : { component: failure.component }), step: failure.step, text: failure.message };
}
