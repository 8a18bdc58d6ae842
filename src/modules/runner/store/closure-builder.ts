import { mkdir, rename, symlink, writeFile, lchown, chmod } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import type { ClosureDeclaration } from '../../ports/domain/manifest.js';
import { requireTool } from './command.js';
import { canonicalJson, digestOf, STORE_FORMAT } from './store-digest.js';
import type { ClosurePackage } from './store.types.js';
import type { FetchedPackage, Platform, SourceContext } from './sources/closure-source.js';
import { DebianSource } from './sources/debian.source.js';
import { NpmSource } from './sources/npm.source.js';
import { UrlSource } from './sources/url.source.js';

/** `closure.json`: what a closure was declared as and what it came to. */
export interface ClosureRecord {
  format: number;
  digest: string;
  platform: string;
  declaration: ClosureDeclaration;
  /** Version of the main package: the first npm one, else the first Debian one, else the first file's name. */
  resolvedVersion: string;
  packages: ClosurePackage[];
}

export interface ClosureSources {
  debian: DebianSource;
  npm: NpmSource;
  url: UrlSource;
  platform: Platform;
}

/**
 * The digest that names a closure: its declaration and the platform. Known without network. What is empty does not count, so
 * that a later version of Hithe, whose declarations have more keys, finds the closures of this one.
 */
export function closureDigest(declaration: ClosureDeclaration, platform: Platform): string {
  return digestOf({ format: STORE_FORMAT, platform: platform.node, declaration: withoutEmpty(declaration) });
}

function withoutEmpty(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([key, part]): [string, unknown] => [key, withoutEmpty(part)]);
  return Object.fromEntries(entries.filter(([, part]) => !isEmpty(part)));
}

function isEmpty(value: unknown): boolean {
  return value === undefined || (value !== null && typeof value === 'object' && Object.keys(value).length === 0);
}

/** Builds a closure into `directory` (which must exist and belong to the store's account): `root/` and `closure.json`. */
export async function buildClosure(
  declaration: ClosureDeclaration,
  directory: string,
  sources: ClosureSources,
  context: SourceContext,
): Promise<ClosureRecord> {
  const { debian, npm, url, exclude } = declaration;
  const root = join(directory, 'root');
  const fromNpm = npm === undefined ? [] : await sources.npm.fetch(npm, context);
  const fromDebian = debian === undefined ? [] : await sources.debian.fetch(debian, context);
  const fromUrl = url === undefined ? [] : await sources.url.fetch(url, context);

  await layOut(root, context);
  if (debian !== undefined) await sources.debian.unpack(fromDebian, root, exclude, context);
  await sources.npm.unpack(fromNpm, root, exclude, context);
  await sources.url.unpack(fromUrl, root, context);
  await linkInto(root, declaration.links, context);
  await seal(root, context);

  const record: ClosureRecord = {
    format: STORE_FORMAT,
    digest: closureDigest(declaration, sources.platform),
    platform: `linux-${sources.platform.node}`,
    declaration,
    resolvedVersion: mainVersion(declaration, fromNpm, fromDebian, fromUrl),
    packages: [...fromNpm, ...fromDebian, ...fromUrl].map(({ name, version, source, digest }) => ({ name, version, source, digest })),
  };
  await writeRecord(join(directory, 'closure.json'), record, context);
  return record;
}

/** A merged-usr tree from the start, so that packages of every suite land in `usr`. */
async function layOut(root: string, context: SourceContext): Promise<void> {
  const merged = ['bin', 'sbin', 'lib', 'lib64'];
  await ownedDirectory(root, context);
  await ownedDirectory(join(root, 'usr'), context);
  for (const name of merged) {
    await ownedDirectory(join(root, 'usr', name), context);
    await symlink(`usr/${name}`, join(root, name));
  }
}

/** Creates a directory of the store's account; its parent must exist. */
export async function ownedDirectory(path: string, context: Pick<SourceContext, 'owner'>): Promise<void> {
  await mkdir(path);
  await chmod(path, 0o755);
  if (context.owner !== null) await lchown(path, context.owner.uid, context.owner.gid);
}

/** Writes a read-only JSON file of the store's account. */
export async function writeRecord(path: string, record: unknown, context: Pick<SourceContext, 'owner'>): Promise<void> {
  await writeFile(path, `${canonicalJson(record)}\n`, { flag: 'wx', mode: 0o444 });
  if (context.owner !== null) await lchown(path, context.owner.uid, context.owner.gid);
}

/** Removes a tree of the store's account, sealed or not. Only directories must be writable for that. */
export async function removeTree(path: string, context: Pick<SourceContext, 'owner'>): Promise<void> {
  const script = '[ ! -e "$1" ] || { find "$1" -type d ! -perm -u+w -exec chmod u+w {} + && rm -rf -- "$1"; }';
  await requireTool(['sh', '-c', script, 'sh', path], { owner: context.owner });
}

async function linkInto(root: string, links: Readonly<Record<string, string>>, context: SourceContext): Promise<void> {
  for (const [path, target] of Object.entries(links)) {
    // Normalising an absolute path takes away every `..` that would lead out of the tree.
    const place = join(root, posix.normalize(`/${path}`));
    const options = { owner: context.owner, signal: context.signal };
    await requireTool(['mkdir', '-p', '--', dirname(place)], options);
    await requireTool(['ln', '-sfn', '--', target, place], options);
  }
}

/** Takes away write permission and special bits, and makes everything readable: the tree is final. */
export async function seal(directory: string, context: Pick<SourceContext, 'owner' | 'signal'>): Promise<void> {
  await requireTool(['chmod', '-R', 'u-s,g-s,o-t,a+rX,a-w', '--', directory], { owner: context.owner, signal: context.signal });
}

/**
 * Moves a finished directory to its final name. A directory must be writable to be moved, so its own mode changes last;
 * everything is on the disk before the name is, or a power cut could leave a complete-looking entry of empty files.
 */
export async function publish(building: string, final: string, context: Pick<SourceContext, 'owner'>): Promise<void> {
  await requireTool(['sync', '--file-system', building], { owner: context.owner });
  await rename(building, final);
  await chmod(final, 0o555);
}

function mainVersion(declaration: ClosureDeclaration, npm: FetchedPackage[], debian: FetchedPackage[], url: FetchedPackage[]): string {
  const main = declaration.debian?.packages[0];
  const fromDebian = debian.find((entry) => entry.name === main);
  return (npm[0] ?? fromDebian ?? debian[0] ?? url[0])?.version ?? 'unknown';
}
