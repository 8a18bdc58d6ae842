import { defineChannel } from '../../database/notifications.js';

/** A deployment has new events. */
export const deploymentChanged = defineChannel<{ deploymentId: string }>('deployment_changed');
