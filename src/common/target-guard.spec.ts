import { describe, expect, it } from '@jest/globals';
import { TargetGuard } from './target-guard.js';

describe('the guard of targets', () => {
  const guard = new TargetGuard(['10.20.0.0/16', 'fd00:20::/64']);
  const hostOf = (url: string): string => new URL(url).hostname;

  it.each([
    'http://127.0.0.1/',
    'http://127.1/',
    'http://0x7f000001/',
    'http://2130706433/',
    'http://017700000001/',
    'http://0/',
    'http://10.0.0.1/',
    'http://172.16.5.4/',
    'http://192.168.1.1/',
    'http://169.254.169.254/',
    'http://100.64.0.1/',
    'http://198.18.0.1/',
    'http://[::1]/',
    'http://[::]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[::127.0.0.1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[2002:7f00:1::]/',
    'http://[fe80::1]/',
    'http://[fc00::1]/',
    'http://[ff02::1]/',
  ])('R35: refuses %s', (url) => {
    expect(() => {
      guard.assertHost(hostOf(url));
    }).toThrow(expect.objectContaining({ code: 'TARGET_REFUSED' }));
  });

  it.each(['http://93.184.215.14/', 'http://[2606:2800:220:1::1]/', 'http://10.20.3.4/', 'http://[fd00:20::7]/', 'http://example.org/'])(
    'permits %s',
    (url) => {
      guard.assertHost(hostOf(url));
    },
  );

  it('R36: resolves and decides in one, so that a name cannot lead elsewhere meanwhile', async () => {
    const found = await new Promise<Error | null>((resolve) => {
      guard.lookup('localhost', {}, (error) => {
        resolve(error);
      });
    });
    expect(found).toMatchObject({ code: 'TARGET_REFUSED' });
    const open = new TargetGuard(['127.0.0.0/8', '::1/128']);
    const address = await new Promise((resolve) => {
      open.lookup('localhost', { family: 4 }, (_error, given) => {
        resolve(given);
      });
    });
    expect(address).toBe('127.0.0.1');
  });
});
