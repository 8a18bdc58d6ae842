import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { DomainError } from './common/domain-error.js';
import type { Config } from './config/config.js';
import { isRoot, tenantUidBase } from './config/home.js';
import type { Identity } from './modules/runner/sandbox/sandbox.types.js';

/** `agent/node.json`, written by the launcher or by joining: who this node is, and where its control plane is. */
const nodeSchema = z.object({ nodeId: z.uuid(), credential: z.string().min(1), serverUrl: z.url() });
export type NodeIdentity = z.infer<typeof nodeSchema>;

/** System users that the launcher makes; where there is none, a uid at the end of the tenants' block stands in. */
const USERS = { store: 'hithe-store', log: 'hithe-log' } as const;
const STAND_INS = { store: 99_996, log: 99_995 } as const;

/** All that the agent takes from configuration and machine. */
export interface AgentOptions {
  root: boolean;
  isolation: 'sandbox' | 'none';
  portDirectories: string[];
  paths: { agent: string; tenants: string; store: string; cache: string };
  tenantUidBase: number;
  storeOwner: Identity | null;
  logIdentity: Identity | undefined;
  buildEnv: string[];
  debianMirror: string | undefined;
  builds: number;
  /** Seconds. */
  usageInterval: number;
  logLevel: string;
  node: NodeIdentity;
  version: string;
}

/** Gathers the options; throws a `DomainError` with a fix when this node cannot be an agent. */
export function agentOptions(config: Config): AgentOptions {
  const root = isRoot();
  const base = config.tenantUidBase ?? tenantUidBase(config.home, {});
  const { paths } = config;
  return {
    root,
    isolation: config.isolation,
    portDirectories: [fileURLToPath(new URL('../../ports', import.meta.url)), ...config.portsPath],
    paths: { agent: paths.agent.root, tenants: paths.tenants, store: paths.store, cache: paths.cache },
    tenantUidBase: base,
    storeOwner: root ? systemUser(USERS.store, base + STAND_INS.store) : null,
    logIdentity: root ? systemUser(USERS.log, base + STAND_INS.log) : undefined,
    buildEnv: config.buildEnv,
    debianMirror: config.debianMirror,
    builds: availableParallelism(),
    usageInterval: config.usageInterval,
    logLevel: config.logLevel,
    node: readNode(paths.agent.node),
    version: packageVersion(),
  };
}

function readNode(path: string): NodeIdentity {
  const fix = "Run 'npm start', which makes this machine a node.";
  if (!existsSync(path))
    throw new DomainError('precondition', 'NODE_UNKNOWN', `${path} does not exist: this machine is no node yet.`, { fix });
  const parsed = nodeSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new DomainError('precondition', 'NODE_UNKNOWN', `${path} is not complete: ${places}.`, { fix });
}

function packageVersion(): string {
  const path = fileURLToPath(new URL('../../package.json', import.meta.url));
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(path, 'utf8'))).version;
}

/** Ids of a user of this machine; no library call of Node.js gives them. */
function systemUser(name: string, standIn: number): Identity {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((text) => text.split(':'))
    .find(([user]) => user === name);
  return line ? { uid: Number(line[2]), gid: Number(line[3]) } : { uid: standIn, gid: standIn };
}
