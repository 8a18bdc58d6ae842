import { DomainError } from '../../../../common/domain-error.js';

/** `https://host/…`, `ssh://user@host/…` or `user@host:path`; a host that starts with "-" would be read as an option. */
const URL_PATTERN = /^(?:https:\/\/|ssh:\/\/)(?!-)[^\s/]+\/\S+$|^[A-Za-z0-9_.]+@(?!-)[A-Za-z0-9.-]+:(?!-)\S+$/;
/** What git allows in a ref, without what it takes for an option or a refspec. */
const REF_PATTERN = /^(?![-./+])(?!.*(?:\.\.|@\{|\/\/))[A-Za-z0-9_./+@-]+$/;

/** The settings that a repository, which may be hostile, must not decide. */
const SAFE_SETTINGS = ['core.hooksPath=/dev/null', 'http.followRedirects=false', 'submodule.recurse=false', 'core.fsmonitor=false'];

const FETCH = [
  'rm -rf source.new',
  'git init --quiet source.new',
  'git -C source.new fetch --quiet --depth=1 --no-tags --no-recurse-submodules -- "$1" "$2"',
  'git -C source.new checkout --quiet --detach FETCH_HEAD',
  'rm -rf source',
  'mv source.new source',
  'git -C source rev-parse HEAD',
].join('\n');

/** The command that brings `ref` of a repository into `source`, below the working directory, and prints the commit last. */
export function gitFetchCommand({ url, ref }: { url: string; ref: string }): string[] {
  if (!URL_PATTERN.test(url)) {
    throw new DomainError('invalid', 'GIT_URL_REFUSED', `"${url}" is not the address of a git repository that may be fetched.`, {
      fix: 'Use an https:// or ssh:// address.',
    });
  }
  if (!REF_PATTERN.test(ref)) {
    throw new DomainError('invalid', 'GIT_REF_REFUSED', `"${ref}" is not a branch, tag or commit.`, {
      fix: 'Name a branch, a tag or a commit.',
    });
  }
  return ['/bin/sh', '-euc', FETCH, 'git-source', url, ref];
}

/** The environment of git: two protocols, no prompt, no configuration but ours. */
export function gitEnvironment(componentPath: string): Record<string, string> {
  const settings = [...SAFE_SETTINGS, `safe.directory=${componentPath}/source`];
  return {
    GIT_ALLOW_PROTOCOL: 'https:ssh',
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_SSH_COMMAND: 'ssh -oBatchMode=yes -oStrictHostKeyChecking=accept-new -oUserKnownHostsFile=/tmp/known_hosts',
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(
      settings.flatMap((setting, index) => {
        const at = setting.indexOf('=');
        return [
          [`GIT_CONFIG_KEY_${index}`, setting.slice(0, at)],
          [`GIT_CONFIG_VALUE_${index}`, setting.slice(at + 1)],
        ];
      }),
    ),
  };
}
