import type { ProjectSpec } from './project-spec.js';

/** What a project is busy with: the kind of its active deployment. */
export type Activity = 'deploy' | 'start' | 'stop' | 'restart' | 'delete';

/** A named set of components that a team owns. */
export interface ProjectRecord {
  id: string;
  teamId: string;
  name: string;
  /** What was applied last, secrets hidden. */
  spec: ProjectSpec;
  /** Grows with every change of `spec`; its entity tag. */
  specVersion: number;
  /** Number of the release that runs, once one does. */
  release: number | null;
  /** Whether the last deploy failed. */
  deployFailed: boolean;
  /** Whether developers need a grant to change what runs. */
  protected: boolean;
  activeDeploymentId: string | null;
  activity: Activity | null;
  createdAt: Date;
  updatedAt: Date;
}
