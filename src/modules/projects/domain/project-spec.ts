import { z } from 'zod';
import { MEMORY_PATTERN } from '../../../common/quantity.js';
import { NAME_PATTERN } from '../../ports/domain/manifest.js';

const name = z
  .string()
  .regex(NAME_PATTERN, 'must be lower-case letters, digits, "-" and "_", starting with a letter')
  .max(63)
  .describe('Lower-case name: letters, digits, "-" and "_", starting with a letter, at most 63 characters');

const secretAddress = z
  .strictObject({
    from: z
      .string()
      .describe('Where the secret is kept: "vault:kv/hithe/TEAM/shop#api_key" or "hithe:project#API_KEY"; read at each deploy'),
  })
  .describe('A secret that is kept elsewhere');
const text = z.string().refine((value) => !value.includes('\0'), 'must not hold the character NUL');
const valueOrAddress = z.union([text, z.number(), z.boolean(), secretAddress]);
/** A value, or the address of a secret that is kept elsewhere. */
export type SpecValue = z.infer<typeof valueOrAddress>;

/** Where an app's code comes from: a directory beside `hithe.yaml` (uploaded by the CLI) or a git repository. */
export const sourceSpecSchema = z
  .union([
    z.strictObject({
      path: z.string().min(1).describe('Directory of the code, relative to hithe.yaml; uploaded honouring .gitignore'),
      /** Set by the client after the upload. */
      digest: z
        .string()
        .regex(/^sha256-[0-9a-f]{64}$/)
        .optional()
        .describe('Digest of the uploaded archive; the CLI fills it in'),
    }),
    z.strictObject({
      git: z.string().min(1).describe('Address of the repository: https or ssh'),
      ref: z.string().min(1).default('HEAD').describe('Branch, tag or commit'),
    }),
  ])
  .describe('Where the code of an app comes from');

export const componentSpecSchema = z.strictObject({
  port: name.describe('The port that installs and runs this component; see `hithe ports`'),
  version: z
    .union([z.string(), z.number().transform(String)])
    .optional()
    .describe('Version of the port\'s software, e.g. "17"; the newest when absent'),
  vars: z
    .record(z.string(), valueOrAddress)
    .default({})
    .describe('Variables of the port, validated by its vars.schema.json; secret ones may be {from: …}'),
  env: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), valueOrAddress)
    .default({})
    .describe('Environment of the process; "${db.POSTGRES_URL}" reads what the component "db" exports'),
  source: sourceSpecSchema.optional(),
  needs: z.array(name).default([]).describe('Components that must be healthy before this one starts'),
  listen: z
    .record(name, z.number().int().min(1).max(65535))
    .default({})
    .describe('Fixed network ports by endpoint, e.g. {http: 8080}; leased from a free range when absent'),
  resources: z
    .strictObject({
      memory: z
        .string()
        .regex(MEMORY_PATTERN, 'must be a number and K, M, G or T, such as 512M')
        .optional()
        .describe('Memory that the component needs, e.g. "512M"; units are powers of 1024'),
      cpu: z.number().positive().max(1024).optional().describe('CPU cores that the component needs, e.g. 0.5'),
    })
    .optional()
    .describe("What the component counts for in the team's quota; the port's own request when absent. Not enforced on what runs, yet"),
  health: z
    .strictObject({
      interval: z.number().min(1, 'must be at least 1 second').optional(),
      timeout: z.number().positive().optional(),
      startPeriod: z.number().nonnegative().optional(),
      retries: z.number().int().positive().optional(),
      deadline: z.number().positive().optional(),
    })
    .default({})
    .describe("Overrides of the port's health policy, in seconds"),
});
export type ComponentSpec = z.infer<typeof componentSpecSchema>;

/** Whoever needs more has several projects. */
const MOST_COMPONENTS = 200;

/** The whole of `hithe.yaml`. */
export const projectSpecSchema = z
  .strictObject({
    name,
    components: z
      .record(name, componentSpecSchema)
      .refine((c) => Object.keys(c).length > 0, 'a project needs at least one component')
      .refine((c) => Object.keys(c).length <= MOST_COMPONENTS, `a project has at most ${MOST_COMPONENTS} components`),
  })
  .describe('A Hithe project: named components and how they depend on each other');
export type ProjectSpec = z.infer<typeof projectSpecSchema>;

/** The address in a value of a specification, if it is one. */
export function addressIn(value: SpecValue): string | undefined {
  return typeof value === 'object' ? value.from : undefined;
}

/** The text of a value of a specification that is no address. */
export function textIn(value: SpecValue): string | undefined {
  return typeof value === 'object' ? undefined : String(value);
}

/** Stands for a stored secret in a specification that is shown; sent back, it keeps the stored value. */
export const REDACTED = '••••••••';

/** Matches the references `${component.EXPORT}` of an `env` value. */
export const REFERENCE_PATTERN = /\$\{([a-z][a-z0-9_-]*)\.([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** JSON Schema 2020-12 of `hithe.yaml`, published at `/api/v1/schemas/project`. */
export function projectJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(projectSpecSchema, { io: 'input', target: 'draft-2020-12' });
}
