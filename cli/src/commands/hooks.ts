import { type DeployHook, type SecretDeployHook, allItems, dataOf } from '@hithe/client';
import { CliError, usageError } from '../cli-error.js';
import type { Context } from '../context.js';
import { EXIT } from '../exit-codes.js';
import { columns } from '../ui/columns.js';
import { confirmByName } from '../ui/confirm.js';
import { sanitizeLine } from '../ui/sanitize.js';
import { nearest } from '../ui/suggest.js';
import { age } from '../ui/time.js';
import { projectNameOr } from './which-project.js';

const KINDS = ['deploy', 'restart'] as const;

/** `hithe hooks list`. */
export async function listHooks(context: Context, name: string | undefined): Promise<void> {
  const project = await context.project(await projectNameOr(context, name));
  const hooks = await hooksOf(context, project.id);
  context.show(hooks, () =>
    columns([
      ['NAME', 'KIND', 'STATE', 'SECRET SINCE', 'URL'],
      ...hooks.map((hook) => [hook.name, hook.kind, hook.enabled ? 'on' : context.colors.yellow('off'), age(hook.secretSince), hook.url]),
    ]),
  );
}

/** `hithe hooks create`: shows the secret, and how to sign with it. */
export async function createHook(context: Context, project: string, name: string, options: { kind: string }): Promise<void> {
  const kind = KINDS.find((each) => each === options.kind);
  if (kind === undefined) throw usageError(`"${options.kind}" is no kind of hook.`, { fix: `Kinds: ${KINDS.join(', ')}.` });
  const { api } = await context.client();
  const { id: projectId } = await context.project(project);
  const made = await dataOf(api.POST('/api/v1/projects/{projectId}/hooks', { params: { path: { projectId } }, body: { name, kind } }));
  context.show(made, () => secretText(context, made, 'Created'));
}

/** `hithe hooks rotate`: the old secret ends at once. */
export async function rotateHook(context: Context, project: string, name: string): Promise<void> {
  const { api } = await context.client();
  const { path } = await find(context, project, name);
  const made = await dataOf(api.POST('/api/v1/projects/{projectId}/hooks/{hookId}/secret', { params: { path } }));
  context.show(made, () => secretText(context, made, 'A new secret for'));
}

/** `hithe hooks enable` and `disable`. */
export async function switchHook(context: Context, project: string, name: string, enabled: boolean): Promise<void> {
  const { api } = await context.client();
  const { path } = await find(context, project, name);
  const hook = await dataOf(api.PATCH('/api/v1/projects/{projectId}/hooks/{hookId}', { params: { path }, body: { enabled } }));
  context.show(hook, () => `The hook ${context.colors.bold(name)} is ${hook.enabled ? 'on' : 'off'}.`);
}

/** `hithe hooks delete`: asks for the name unless `--confirm` gives it. */
export async function deleteHook(context: Context, project: string, name: string, options: { confirm?: string }): Promise<void> {
  const { api } = await context.client();
  const { path } = await find(context, project, name);
  const command = `hithe hooks delete ${project} ${name}`;
  await confirmByName(context, { name, doing: `Deleting the hook ${name}`, command }, options.confirm);
  await api.DELETE('/api/v1/projects/{projectId}/hooks/{hookId}', { params: { path } });
  context.show({ id: path.hookId, name, deleted: true }, () => `The hook ${context.colors.bold(name)} is gone.`);
}

/** `hithe hooks deliveries`: the newest fifty. */
export async function listDeliveries(context: Context, project: string, name: string): Promise<void> {
  const { api } = await context.client();
  const { path } = await find(context, project, name);
  const { items } = await dataOf(api.GET('/api/v1/projects/{projectId}/hooks/{hookId}/deliveries', { params: { path } }));
  context.show(items, () =>
    columns([
      ['AGE', 'OUTCOME', 'WHY', 'DEPLOYMENT', 'FROM', 'WEBHOOK ID'],
      ...items.map((each) => [
        age(each.receivedAt),
        each.outcome,
        each.code ?? '',
        each.deploymentId ?? '-',
        each.address ?? '-',
        sanitizeLine(each.webhookId ?? '-', false),
      ]),
    ]),
  );
}

/**
 * A shell script that delivers to a hook with openssl and curl. It reads the secret from `HITHE_HOOK_SECRET`; openssl takes the key
 * on its command line, so run it where no stranger sees your processes, as in a CI job.
 */
export function deliveryScript(url: string): string {
  return `id="msg_$(openssl rand -hex 16)"; at=$(date +%s); body='{}'
key=$(printf '%s' "\${HITHE_HOOK_SECRET#whsec_}" | base64 -d | od -An -v -tx1 | tr -d ' \\n')
signature=$(printf '%s' "$id.$at.$body" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64)
curl -fsS ${url} -H 'content-type: application/json' -d "$body" \\
  -H "webhook-id: $id" -H "webhook-timestamp: $at" -H "webhook-signature: v1,$signature"
`;
}

function secretText({ colors }: Context, hook: SecretDeployHook, what: string): string {
  return `${what} ${colors.bold(hook.name)}: a signed POST to it will ${hook.kind} the project, with your right of that moment.

Secret, shown only now:
  ${hook.secret}

Deliver from a shell, with the secret in HITHE_HOOK_SECRET (or with any library of standardwebhooks.com):
${deliveryScript(hook.url)
  .trimEnd()
  .split('\n')
  .map((line) => `  ${line}`)
  .join('\n')}`;
}

async function find(context: Context, projectName: string, name: string): Promise<{ path: { projectId: string; hookId: string } }> {
  const { id: projectId } = await context.project(projectName);
  const hooks = await hooksOf(context, projectId);
  const hook = hooks.find((each) => each.name === name || each.id === name);
  if (hook !== undefined) return { path: { projectId, hookId: hook.id } };
  const near = nearest(
    name,
    hooks.map((each) => each.name),
  );
  throw new CliError(EXIT.notFound, `The project "${projectName}" has no hook "${name}".`, {
    code: 'HOOK_NOT_FOUND',
    fix: near === undefined ? `hithe hooks list ${projectName}` : `Did you mean "${near}"? See: hithe hooks list ${projectName}`,
  });
}

async function hooksOf(context: Context, projectId: string): Promise<DeployHook[]> {
  const { api } = await context.client();
  return allItems((cursor) =>
    dataOf(
      api.GET('/api/v1/projects/{projectId}/hooks', { params: { path: { projectId }, query: cursor === undefined ? {} : { cursor } } }),
    ),
  );
}
