import { describe, expect, it } from '@jest/globals';
import { assertAllowed } from './oidc-flow.js';

const PUBLIC_URL = 'https://hithe.example.org';
const allowed = (uri: string): boolean => {
  try {
    assertAllowed(uri, PUBLIC_URL);
    return true;
  } catch {
    return false;
  }
};

describe('where a one-time code may go', () => {
  it.each(['http://127.0.0.1:49200/', 'http://127.0.0.1:1/done', 'http://[::1]:49200/', `${PUBLIC_URL}/login/done`, PUBLIC_URL])(
    '%s',
    (uri) => {
      expect(allowed(uri)).toBe(true);
    },
  );

  it.each([
    'https://127.0.0.1:49200/',
    'http://localhost:49200/',
    'http://127.0.0.2/',
    'http://127.0.0.1.example.org/',
    'http://user@127.0.0.1/',
    'http://127.0.0.1:49200/#x',
    'http://hithe.example.org/',
    'https://hithe.example.org.evil.example/',
    'https://hithe.example.org:8443/',
    'https://user:secret@hithe.example.org/',
    'javascript:alert(1)',
    'file:///etc/passwd',
    '//hithe.example.org/',
    '',
  ])('not %s', (uri) => {
    expect(allowed(uri)).toBe(false);
  });
});
