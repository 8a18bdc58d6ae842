import type { components } from './generated/schema.js';

type Schemas = components['schemas'];

export type Me = Schemas['Me'];
export type User = Schemas['User'];
export type Team = Schemas['Team'];
export type Member = Schemas['Member'];
export type Project = Schemas['Project'];
export type ProjectStatus = Schemas['Status'];
export type ComponentStatus = Schemas['ComponentStatus'];
export type ProjectHealth = Schemas['Health'];
export type Plan = Schemas['Plan'];
export type Deployment = Schemas['Deployment'];
export type DeploymentStep = Schemas['Step'];
export type DeploymentFailure = Schemas['Failure'];
export type LogLine = Schemas['LogLine'];
export type Port = Schemas['Port'];
