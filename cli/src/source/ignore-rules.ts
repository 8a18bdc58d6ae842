import { readFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { isMissing } from '../config/config-file.js';

interface Rules {
  /** Directory of the .gitignore file. */
  base: string;
  matcher: Ignore;
}

/** The .gitignore files from a repository's root down to one directory; the deepest that has an opinion decides, as in git. */
export class IgnoreRules {
  private constructor(private readonly stack: readonly Rules[]) {}

  /** The rules that hold in `directory`: its own file and those above it, up to the root of its repository if it is in one. */
  static async at(directory: string): Promise<IgnoreRules> {
    const above = await IgnoreRules.above(directory);
    // Whoever names an ignored directory as source, such as dist, means what is in it.
    const inherited = above.ignores(directory, true) ? new IgnoreRules([]) : above;
    return inherited.within(directory);
  }

  private static async above(directory: string): Promise<IgnoreRules> {
    const found: Rules[] = [];
    let inRepository = await exists(join(directory, '.git'));
    for (
      let child = directory, current = dirname(directory);
      !inRepository && current !== child;
      child = current, current = dirname(current)
    ) {
      const rules = await rulesIn(current);
      if (rules !== undefined) found.unshift(rules);
      inRepository = await exists(join(current, '.git'));
    }
    const atRoot = await exists(join(directory, '.git'));
    return new IgnoreRules(inRepository && !atRoot ? found : []);
  }

  /** These rules and those of the .gitignore in a directory below. */
  async within(directory: string): Promise<IgnoreRules> {
    const own = await rulesIn(directory);
    return own === undefined ? this : new IgnoreRules([...this.stack, own]);
  }

  ignores(path: string, isDirectory: boolean): boolean {
    for (const { base, matcher } of this.stack.toReversed()) {
      const name = relative(base, path).split(sep).join('/');
      const { ignored, unignored } = matcher.test(isDirectory ? `${name}/` : name);
      if (ignored) return true;
      if (unignored) return false;
    }
    return false;
  }
}

async function rulesIn(directory: string): Promise<Rules | undefined> {
  try {
    const text = await readFile(join(directory, '.gitignore'), 'utf8');
    return { base: directory, matcher: ignore().add(text) };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  const { stat } = await import('node:fs/promises');
  return stat(path).then(
    () => true,
    () => false,
  );
}
