export const USER_KINDS = ['person', 'service'] as const;
/** A `service` cannot log in: it acts with API tokens alone. */
export type UserKind = (typeof USER_KINDS)[number];
