import { randomUUID } from 'node:crypto';
import { chmodSync, chownSync, closeSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Isolation } from '../../../link/messages.js';
import { allPids, readIfThere } from '../support/proc.js';
import { CANARY_SCRIPT } from './canary-script.js';
import { openDirectory } from './descriptors.js';
import type { Identity, Sandbox } from './sandbox.types.js';

const TIMEOUT_MS = 20_000;
type Check = Isolation['checks'][number];

export interface CanaryOptions {
  /** Parent of the tenants' directories; the attack looks for a neighbour there. */
  tenantsDirectory: string;
  /** Private to the agent; the attack looks for its secrets. */
  agentDirectory: string;
  /** A uid that no tenant has, and its imagined neighbour. */
  identity: Identity;
  neighbour: Identity;
}

/** What each attack inside the sandbox must be answered with. */
const EXPECTED: Readonly<Record<string, { answer: RegExp; wall: string }>> = {
  'neighbour-file': { answer: /No such file/, wall: "another tenant's files do not exist" },
  'agent-secrets': { answer: /No such file/, wall: "the agent's secrets do not exist" },
  'agent-directory': { answer: /No such file/, wall: "the agent's directory does not exist" },
  processes: { answer: /^[1-6]$/, wall: 'only own processes are visible' },
  'write-usr': { answer: /Read-only file system/, wall: '/usr is read-only' },
  'write-etc': { answer: /Read-only file system/, wall: '/etc is read-only' },
  'write-root': { answer: /Read-only file system/, wall: '/ is read-only' },
  'write-dev': { answer: /Read-only file system/, wall: '/dev is read-only' },
  'nested-namespace': { answer: /^refused/, wall: 'no namespace can be made' },
  'kill-host': { answer: /^refused/, wall: 'processes of the host cannot be signalled' },
  descriptors: { answer: /^0 1 2 3$/, wall: 'no descriptor is inherited' },
  environment: { answer: /^clean$/, wall: 'no variable is inherited' },
  'own-directory': { answer: /^allowed$/, wall: "the component's own directory is writable" },
};

/** Attacks a sandbox of exactly the kind that tenants get. Never throws: a canary that cannot be run is not green. */
export async function attackOwnSandbox(sandbox: Sandbox, options: CanaryOptions): Promise<Isolation> {
  try {
    const checks = await attack(sandbox, options);
    return { mode: sandbox.mode, ok: checks.every(({ ok }) => ok), checks };
  } catch (error) {
    return brokenIsolation(sandbox.mode, error);
  }
}

/** The isolation of a machine on which no sandbox can be made at all. */
export function brokenIsolation(mode: Isolation['mode'], error: unknown): Isolation {
  const fix = error instanceof Error && 'fix' in error && typeof error.fix === 'string' ? ` ${error.fix}` : '';
  const message = `${error instanceof Error ? error.message : String(error)}${fix}`;
  return { mode, ok: false, checks: [{ name: 'sandbox', ok: false, message }] };
}

async function attack(sandbox: Sandbox, options: CanaryOptions): Promise<Check[]> {
  const token = `hithe-canary-${randomUUID()}`;
  const scene = setScene(options, token);
  const own = openDirectory(scene.own);
  const done = new AbortController();
  const answers = new Map<string, string>();
  let host: Check[] = [];
  try {
    const result = await sandbox.run(
      {
        identity: options.identity,
        hostname: 'canary',
        system: { kind: 'host' },
        directories: [{ fd: own, target: scene.own, writable: true }],
        env: { PATH: '/usr/bin:/bin' },
        network: true,
        chdir: scene.own,
        command: [
          '/bin/sh',
          '-c',
          CANARY_SCRIPT,
          token,
          scene.neighbourFile,
          scene.secret,
          options.agentDirectory,
          String(Math.max(...allPids())),
          scene.own,
        ],
      },
      {
        timeoutMs: TIMEOUT_MS,
        signal: done.signal,
        onLine: (line) => {
          if (line !== 'ready') answers.set(line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1));
          else {
            host = viewFromHost(token, options.identity);
            done.abort();
          }
        },
      },
    );
    if (!result.aborted)
      return [{ name: 'sandbox', ok: false, message: `The sandbox does not work here: ${result.tail.at(-1) ?? 'no answer'}` }];
    return [...host, ...Object.keys(EXPECTED).map((name) => judge(name, answers.get(name)))];
  } finally {
    closeSync(own);
    rmSync(scene.root, { recursive: true, force: true });
    rmSync(scene.secret, { force: true });
  }
}

function judge(name: string, answer: string | undefined): Check {
  const expected = EXPECTED[name];
  const ok = expected !== undefined && answer !== undefined && expected.answer.test(answer);
  return {
    name,
    ok,
    message: ok ? expected.wall : `expected that ${expected?.wall ?? name}; the attack was answered: ${answer ?? 'nothing'}`,
  };
}

interface Scene {
  root: string;
  own: string;
  neighbourFile: string;
  secret: string;
}

/** A neighbour's world-readable file, a secret of the agent's, and a directory of the canary's own. */
function setScene({ tenantsDirectory, agentDirectory, identity, neighbour }: CanaryOptions, token: string): Scene {
  const root = join(tenantsDirectory, `.${token}`);
  const scene = { root, own: join(root, 'own'), neighbourFile: join(root, 'neighbour/file'), secret: join(agentDirectory, token) };
  if (!existsSync(tenantsDirectory)) mkdirSync(tenantsDirectory, { recursive: true, mode: 0o711 });
  for (const path of [root, scene.own, join(root, 'neighbour')]) mkdirSync(path);
  chmodSync(root, 0o755);
  chmodSync(join(root, 'neighbour'), 0o755);
  writeFileSync(scene.neighbourFile, 'neighbour');
  chmodSync(scene.neighbourFile, 0o644);
  writeFileSync(scene.secret, 'secret', { mode: 0o600 });
  if (process.geteuid?.() === 0) {
    chownSync(scene.own, identity.uid, identity.gid);
    chownSync(scene.neighbourFile, neighbour.uid, neighbour.gid);
  }
  return scene;
}

/** What the kernel says of the canary: uid, capabilities, and that no setuid file can give any back. */
function viewFromHost(token: string, identity: Identity): Check[] {
  const statuses = allPids()
    .filter((pid) => readIfThere(`/proc/${pid}/cmdline`)?.includes(token) === true)
    .map((pid) => readIfThere(`/proc/${pid}/status`) ?? '')
    .filter((status) => field(status, 'NSpid').split(/\s+/).length > 1);
  const every = (name: string, test: (value: string) => boolean): boolean =>
    statuses.length > 0 && statuses.every((status) => test(field(status, name)));
  const uids = every('Uid', (value) => value.split(/\s+/).every((uid) => Number(uid) === identity.uid));
  const capabilities = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].every((name) => every(name, (value) => /^0+$/.test(value)));
  const noNewPrivileges = every('NoNewPrivs', (value) => value === '1');
  const facts = `as the host sees it: uid ${statuses.map((status) => field(status, 'Uid')).join(', ')}`;
  return [
    { name: 'host-uid', ok: uids, message: facts.replaceAll('\t', ' ') },
    { name: 'host-capabilities', ok: capabilities, message: capabilities ? 'it has no capability' : 'it has capabilities' },
    {
      name: 'no-new-privileges',
      ok: noNewPrivileges,
      message: noNewPrivileges ? 'setuid files give nothing' : 'setuid files could give privileges',
    },
  ];
}

function field(status: string, name: string): string {
  return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1]?.trim() ?? '';
}
