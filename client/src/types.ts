import type { components } from './generated/schema.js';

type Schemas = components['schemas'];

export type Me = Schemas['MeDto'];
export type User = Schemas['UserDto'];
export type Team = Schemas['TeamDto'];
export type Member = Schemas['MemberDto'];
export type TeamRole = Schemas['TeamRole'];
export type Project = Schemas['ProjectDto'];
export type ProjectStatus = Schemas['ProjectStatusDto'];
export type ComponentStatus = Schemas['ComponentStatusDto'];
export type ProjectHealth = Schemas['ProjectHealthDto'];
export type Plan = Schemas['PlanDto'];
export type Deployment = Schemas['DeploymentDto'];
export type DeploymentStep = Schemas['DeploymentStepDto'];
export type DeploymentFailure = Schemas['DeploymentFailureDto'];
export type LogLine = Schemas['LogLineDto'];
export type Port = Schemas['PortDto'];
export type PortDetail = Schemas['PortDetailDto'];
export type TeamQuota = Schemas['TeamQuotaDto'];
export type QuotaLimits = Schemas['QuotaLimitsDto'];
export type Usage = Schemas['UsageDto'];
export type AuditEvent = Schemas['AuditEventDto'];
export type AuditVerification = Schemas['VerificationDto'];
export type AuditChainProblem = Schemas['ChainProblemDto'];
export type SignedHead = Schemas['SignedHeadDto'];
export type AuditSegment = Schemas['AuditSegmentDto'];
