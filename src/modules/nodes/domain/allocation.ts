import type { ObservedAllocation } from '../../../link/messages.js';
import type { ResolvedComponent } from '../../projects/domain/resolved-component.js';

export type DesiredState = 'prepared' | 'running' | 'stopped' | 'removed';

/** A new replica of a component on a node, which is to be prepared. */
export interface NewAllocation {
  id: string;
  nodeId: string;
  projectId: string;
  teamId: string;
  tenant: { number: number; slug: string };
  /** Name of the project. */
  project: string;
  component: string;
  release: number;
  /** What it is made from. */
  resolved: ResolvedComponent;
  /** Component → allocation that it reads from. */
  needs: Record<string, string>;
  /** Endpoint → leased address. */
  listen: Record<string, { address: string; port: number }>;
}

/** One replica of a component on one node: what is wanted of it, and what the node last said. */
export interface AllocationRecord extends NewAllocation {
  desired: DesiredState;
  purge: boolean;
  /** Grows with every change of what is wanted. */
  epoch: number;
  restartNonce: number;
  observed: ObservedAllocation | null;
  /** Since when it is healthy without a break. */
  healthySince: Date | null;
}
