import { describe, expect, it } from '@jest/globals';
import { aptConfiguration, aptSources, chooseMirror, targetOfUri } from './apt-config.js';
import { lacksOnlySecurity, parseUriLine, pretendInstalled } from './apt.js';
import { globMatcher, megabytes } from './closure-source.js';

describe('parseUriLine', () => {
  it('reads name and version, epochs included', () => {
    const hash = 'a'.repeat(64);
    expect(
      parseUriLine(
        `'http://mirror.example/pool/g/git_2.47.3-0%2bdeb13u1_amd64.deb' git_1%3a2.47.3-0+deb13u1_amd64.deb 8862 SHA256:${hash}`,
      ),
    ).toEqual({
      uri: 'http://mirror.example/pool/g/git_2.47.3-0%2bdeb13u1_amd64.deb',
      name: 'git',
      version: '1:2.47.3-0+deb13u1',
      fileName: 'git_1%3a2.47.3-0+deb13u1_amd64.deb',
      bytes: 8862,
      sha256: hash,
    });
  });

  it('passes over everything else, weaker checksums too', () => {
    expect(parseUriLine('Reading package lists...')).toBeUndefined();
    expect(parseUriLine("'http://mirror.example/a_1_all.deb' a_1_all.deb 1 MD5Sum:d41d8cd98f00b204e9800998ecf8427e")).toBeUndefined();
  });
});

describe('pretendInstalled', () => {
  it('keeps what a package is and drops what it needs', () => {
    const shown =
      'Package: perl\nVersion: 5.40\nArchitecture: amd64\nDepends: libperl5.40 (= 5.40)\nProvides: perl5,\nFilename: pool/p.deb';
    const stanza = pretendInstalled(shown);
    expect(stanza).toContain('Package: perl\nVersion: 5.40\nArchitecture: amd64\nProvides: perl5,\nStatus: install ok installed');
    expect(stanza).not.toContain('Depends');
  });
});

describe('lacksOnlySecurity', () => {
  const lacks = (suite: string): string =>
    `E: The repository 'http://mirror.example/debian ${suite} Release' does not have a Release file.`;

  it('tells a suite without security updates from a suite that is not there', () => {
    expect(lacksOnlySecurity({ stderr: [lacks('sid-security')] }, 'sid')).toBe(true);
    expect(lacksOnlySecurity({ stderr: [lacks('sid'), lacks('sid-security')] }, 'sid')).toBe(false);
    expect(lacksOnlySecurity({ stderr: ['E: Temporary failure resolving'] }, 'sid')).toBe(false);
  });
});

describe('globMatcher', () => {
  it('takes * for anything and everything else for itself', () => {
    const matches = globMatcher(['libllvm*', 'libstdc++6', '*-perl']);
    expect(['libllvm19', 'libstdc++6', 'liberror-perl'].map(matches)).toEqual([true, true, true]);
    expect(['xlibllvm', 'libstdccc6', 'perl'].map(matches)).toEqual([false, false, false]);
  });
});

describe('chooseMirror', () => {
  it("takes Debian's mirrors out of what the machine's apt uses", () => {
    const lines = [
      'https://packages.vendor.example/deb/|nodistro|main|Vendor|Vendor',
      'http://mirror.example/debian/|bookworm|main|Debian|Debian',
      'http://mirror.example/debian/|bookworm|contrib|Debian|Debian',
      'http://mirror.example/security/|bookworm-security|main|Debian|Debian-Security',
    ];
    expect(chooseMirror(lines)).toEqual({ main: 'http://mirror.example/debian', security: 'http://mirror.example/security' });
  });

  it('guesses by the address before the lists were ever fetched', () => {
    const lines = [
      'http://mirror.example/ubuntu/|noble|main|$(ORIGIN)|$(LABEL)',
      'http://mirror.example/debian/|trixie|main|$(ORIGIN)|$(LABEL)',
      'http://mirror.example/debian-security/|trixie-security|main|$(ORIGIN)|$(LABEL)',
    ];
    expect(chooseMirror(lines)).toEqual({ main: 'http://mirror.example/debian', security: 'http://mirror.example/debian-security' });
  });

  it('reads what apt would fetch when it never has', () => {
    const lines = [
      "'http://mirror.example/debian/dists/bookworm/InRelease' mirror.example_debian_dists_bookworm_InRelease 0 ",
      "'http://mirror.example/debian/dists/bookworm/main/binary-amd64/Packages.xz' x 0 ",
      "'http://mirror.example/debian-security/dists/bookworm-security/main/binary-amd64/Packages.xz' x 0 ",
    ];
    const targets = lines.flatMap((line) => targetOfUri(line) ?? []);
    expect(chooseMirror(targets)).toEqual({ main: 'http://mirror.example/debian', security: 'http://mirror.example/debian-security' });
  });

  it('finds none on another distribution', () => {
    expect(chooseMirror(['http://mirror.example/ubuntu/|noble|main|Ubuntu|Ubuntu', ''])).toBeUndefined();
  });
});

describe('a private apt', () => {
  const directories = { lists: '/cache/lists', work: '/work/apt' };

  it('takes of the machine only how to reach the network', () => {
    const text = aptConfiguration(
      directories,
      'Acquire::http::Proxy "http://proxy.example";\nAPT::Update::Post-Invoke:: "rm -rf /";\nAcquire::IndexTargets::x "y";\n',
      'amd64',
    );
    expect(text).toContain('Acquire::http::Proxy "http://proxy.example";');
    expect(text).not.toContain('Post-Invoke');
    expect(text).not.toContain('IndexTargets');
    expect(text).toContain('Dir::State::status "/work/apt/status";');
  });

  it('knows one suite and its security updates, signed by one keyring', () => {
    const mirror = { main: 'http://mirror.example/debian/', security: 'http://mirror.example/security' };
    expect(aptSources('trixie', mirror, '/keys.gpg')).toBe(
      'deb [signed-by=/keys.gpg] http://mirror.example/debian trixie main\ndeb [signed-by=/keys.gpg] http://mirror.example/security trixie-security main\n',
    );
    expect(aptSources('trixie', { main: 'http://mirror.example/debian', security: undefined }, '/keys.gpg').split('\n')).toHaveLength(2);
  });
});

describe('megabytes', () => {
  it('is short', () => {
    expect([megabytes(123_456), megabytes(9_940_000), megabytes(98_700_000)]).toEqual(['0.1 MB', '9.9 MB', '99 MB']);
  });
});
