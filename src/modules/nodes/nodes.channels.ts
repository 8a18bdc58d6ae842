import { defineChannel } from '../../database/notifications.js';

/** What a node shall run has changed. */
export const desiredChanged = defineChannel<{ nodeId: string }>('node_desired_changed');
/** A node has said something new about allocations of this project. */
export const allocationsObserved = defineChannel<{ projectId: string }>('allocations_observed');
/** A node has a link, perhaps to another process of the control plane; older ones are void. */
export const nodeLinked = defineChannel<{ nodeId: string; linkId: string }>('node_linked');
/** There is a task for a node. */
export const taskCreated = defineChannel<{ nodeId: string; taskId: string }>('task_created');
/** A node has answered a task. */
export const taskFinished = defineChannel<{ taskId: string }>('task_finished');
