export * from './client.js';
export * from './errors.js';
export * from './event-stream.js';
export * from './session.js';
export * from './types.js';
export type { components, operations, paths } from './generated/schema.js';
