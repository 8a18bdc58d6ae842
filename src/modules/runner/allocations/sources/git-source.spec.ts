import { describe, expect, it } from '@jest/globals';
import { gitEnvironment, gitFetchCommand } from './git-source.js';

describe('gitFetchCommand', () => {
  it.each(['https://example.org/a/b.git', 'ssh://git@example.org/a/b', 'git@example.org:a/b.git'])('accepts %s', (url) => {
    expect(gitFetchCommand({ url, ref: 'main' }).slice(-2)).toEqual([url, 'main']);
  });

  it.each([
    '--upload-pack=touch /tmp/x',
    'ext::sh -c touch% /tmp/x',
    'file:///etc',
    '/etc',
    'http://example.org/a/b',
    'ssh://-oProxyCommand=x/a',
    'git@-oProxyCommand=x:a',
    'https://example.org',
  ])('refuses the address %s', (url) => {
    expect(() => gitFetchCommand({ url, ref: 'main' })).toThrow(expect.objectContaining({ code: 'GIT_URL_REFUSED' }));
  });

  it.each(['main', 'v1.2.3', 'feature/x', 'HEAD', '0123456789abcdef0123456789abcdef01234567'])('accepts the ref %s', (ref) => {
    expect(gitFetchCommand({ url: 'https://example.org/a', ref }).at(-1)).toBe(ref);
  });

  it.each(['--exec=x', '-f', 'a..b', 'main:refs/heads/x', '+main', 'a b', ''])('refuses the ref "%s"', (ref) => {
    expect(() => gitFetchCommand({ url: 'https://example.org/a', ref })).toThrow(expect.objectContaining({ code: 'GIT_REF_REFUSED' }));
  });
});

describe('gitEnvironment', () => {
  it('allows two protocols and no hook', () => {
    const env = gitEnvironment('/srv/c');
    expect(env['GIT_ALLOW_PROTOCOL']).toBe('https:ssh');
    expect(Object.values(env)).toEqual(expect.arrayContaining(['core.hooksPath', '/dev/null', 'http.followRedirects', 'false']));
  });
});
