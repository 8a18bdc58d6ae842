import { tablePolicy } from '../../auth/table-rules.js';

/** Who may read and export events: the role table's last line. */
export const auditPolicy = tablePolicy('AuditEvent');
