import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, fstatSync, lstatSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { DomainError } from '../../../common/domain-error.js';
import { FIXED_ENVIRONMENT, dropTo, hostTool } from '../sandbox/bubblewrap-sandbox.js';
import { childPath, ensureChild, openChild, openDirectory } from '../sandbox/descriptors.js';
import type { Identity } from '../sandbox/sandbox.types.js';
import type { ComponentPaths } from './environment.js';

/** Below a component's directory. */
const SUBDIRECTORIES = ['data', 'log', 'build', 'download', 'releases', 'source', 'run', 'home'];
const KEPT = '.kept';
/** Where a build makes a release, below the component's directory. */
export const STAGE = ['build', 'release'] as const;

/** Names one component of one tenant; allocations of different releases share it. */
export interface ComponentPlace {
  slug: string;
  project: string;
  component: string;
}

/** The directories of tenants. Nothing in them is ever followed from here: tenants own what is inside. */
export class TenantDirectories {
  constructor(
    private readonly root: string,
    private readonly isRoot: boolean,
  ) {}

  paths({ slug, project, component }: ComponentPlace): ComponentPaths {
    const tenant = join(this.root, slug);
    return { tenant, component: join(tenant, project, component) };
  }

  /** Makes the component's directory with all that a script may expect in it; does nothing where it is there. */
  ensure(place: ComponentPlace, owner: Identity): void {
    if (!existsSync(this.root)) mkdirSync(this.root, { recursive: true, mode: 0o711 });
    const descriptors: number[] = [];
    const keep = (fd: number): number => descriptors[descriptors.push(fd) - 1] ?? fd;
    try {
      const tenant = keep(ensureChild(keep(openDirectory(this.root)), place.slug, owner));
      this.checkOwner(tenant, place.slug, owner);
      const project = keep(ensureChild(tenant, place.project, owner));
      const component = keep(ensureChild(project, place.component, owner));
      for (const name of SUBDIRECTORIES) keep(ensureChild(component, name, owner));
    } finally {
      for (const fd of descriptors) closeSync(fd);
    }
  }

  /** Opens the component's directory, or one below it. The caller closes the descriptor. */
  open({ slug, project, component }: ComponentPlace, ...below: string[]): number {
    return openDirectory(this.root, slug, project, component, ...below);
  }

  exists(place: ComponentPlace, ...below: string[]): boolean {
    try {
      closeSync(this.open(place, ...below));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  }

  /** Moves the component's directory to `.kept` in its tenant's; nothing of it is lost. Returns where it is now. */
  setAside(place: ComponentPlace, owner: Identity, now: Date): string | undefined {
    if (!this.exists(place)) return undefined;
    const stamp = now.toISOString().replaceAll(/[-:]/g, '').replace(/\..*/, 'Z');
    const name = `${place.project}-${place.component}-${stamp}-${randomUUID().slice(0, 4)}`;
    const tenant = openDirectory(this.root, place.slug);
    const kept = ensureChild(tenant, KEPT, owner);
    const project = openChild(tenant, place.project);
    try {
      renameSync(childPath(project, place.component), childPath(kept, name));
    } finally {
      for (const fd of [project, kept, tenant]) closeSync(fd);
    }
    return join(this.root, place.slug, KEPT, name);
  }

  /** Deletes the component's directory for ever, as its owner. */
  async purge(place: ComponentPlace, owner: Identity): Promise<void> {
    if (this.exists(place)) await this.deleteBelow([place.slug, place.project], place.component, owner);
  }

  /** Deletes one directory of a component, as its owner. */
  async purgeBelow(place: ComponentPlace, parent: string, name: string, owner: Identity): Promise<void> {
    const parents = [place.slug, place.project, place.component, parent];
    if (this.exists(place, parent) && this.hasEntry(parents, name)) await this.deleteBelow(parents, name, owner);
  }

  /** Makes an empty directory for a build, whatever an earlier one left. */
  async stageRelease(place: ComponentPlace, owner: Identity): Promise<void> {
    const [parent, name] = STAGE;
    await this.purgeBelow(place, parent, name, owner);
    const directory = this.open(place, parent);
    try {
      closeSync(ensureChild(directory, name, owner));
    } finally {
      closeSync(directory);
    }
  }

  /** Makes what a build staged the release `name`, in one rename. There must be none of that name. */
  publishRelease(place: ComponentPlace, name: string): void {
    const [parent, staged] = STAGE;
    const from = this.open(place, parent);
    const to = this.open(place, 'releases');
    try {
      renameSync(childPath(from, staged), childPath(to, name));
    } finally {
      for (const fd of [from, to]) closeSync(fd);
    }
  }

  /** Whether there is anything of that name; spares a process where there is not. */
  private hasEntry(parents: string[], name: string): boolean {
    const parent = openDirectory(this.root, ...parents);
    try {
      return lstatSync(childPath(parent, name), { throwIfNoEntry: false }) !== undefined;
    } finally {
      closeSync(parent);
    }
  }

  /** Runs as the tenant, so that whatever is in there gives no more power than the tenant has. */
  private async deleteBelow(parents: string[], name: string, owner: Identity): Promise<void> {
    const parent = openDirectory(this.root, ...parents);
    try {
      const code = await this.asOwner(owner, parent, ['rm', '-rf', '--one-file-system', '--', `./${name}`]);
      if (code === 0) return;
      // Package managers leave directories that even their owner must not write.
      await this.asOwner(owner, parent, ['chmod', '-R', 'u+rwX', '--', `./${name}`]);
      const second = await this.asOwner(owner, parent, ['rm', '-rf', '--one-file-system', '--', `./${name}`]);
      if (second === 0) return;
      throw new DomainError('internal', 'REMOVAL_FAILED', `The files of "${name}" could not be deleted: rm ended with ${String(second)}.`);
    } finally {
      closeSync(parent);
    }
  }

  private async asOwner(owner: Identity, directory: number, [tool = '', ...args]: string[]): Promise<number | null> {
    const drop = this.isRoot ? [hostTool('setpriv', 'util-linux'), ...dropTo(owner.uid, owner.gid)] : [];
    const [file = '', ...rest] = [...drop, hostTool(tool, 'coreutils'), ...args];
    const child = spawn(file, rest, { stdio: 'ignore', env: { ...FIXED_ENVIRONMENT }, cwd: `/proc/self/fd/${directory}` });
    const [code] = (await once(child, 'exit')) as [number | null];
    return code;
  }

  /** A tenant's name may be used again after its deletion; the new tenant must not enter the old one's directory. */
  private checkOwner(tenant: number, slug: string, owner: Identity): void {
    if (!this.isRoot || fstatSync(tenant).uid === owner.uid) return;
    throw new DomainError('conflict', 'TENANT_DIRECTORY_TAKEN', `The directory of team "${slug}" belongs to another uid.`, {
      fix: `Move ${join(this.root, slug)} away; it is what an earlier team of that name left.`,
    });
  }
}
