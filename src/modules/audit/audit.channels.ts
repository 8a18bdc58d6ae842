import { defineChannel } from '../../database/notifications.js';

/** Events were appended; the trigger of the table says so. */
export const auditAppended = defineChannel<Record<string, never>>('audit_appended');
