import { describe, expect, it } from '@jest/globals';
import { generatePassword, passwordFault } from './password-policy.js';

describe('passwordFault', () => {
  it.each([['correct horse battery staple'], ['u9yEE-meUJC-Azefp-my3Aj'], ['Der Hafen liegt im Nebel']])('accepts %s', (password) => {
    expect(passwordFault(password, 'ada@example.org')).toBeUndefined();
  });

  it.each([
    ['elevenchars', 'PASSWORD_TOO_SHORT'],
    ['x'.repeat(257), 'PASSWORD_TOO_LONG'],
    ['🔑'.repeat(11), 'PASSWORD_TOO_SHORT'],
    ['aaaaaaaaaaaaaaaa', 'PASSWORD_COMMON'],
    ['password1234', 'PASSWORD_COMMON'],
    ['Password!2026', 'PASSWORD_COMMON'],
    ['qwertyuiop123', 'PASSWORD_COMMON'],
    ['123456789012', 'PASSWORD_COMMON'],
    ['ada@example.org', 'PASSWORD_COMMON'],
    ['unbelievable', 'PASSWORD_COMMON'],
    ['1qaz2wsx3edc', 'PASSWORD_COMMON'],
    ['P@ssw0rd1234', 'PASSWORD_COMMON'],
    ['administrator1', 'PASSWORD_COMMON'],
    ['hithehithehithe', 'PASSWORD_COMMON'],
    ['пароль密码🔑 und mehr', undefined],
    ['tulipsneverdance', undefined],
  ])('R24: judges %s as %s', (password, code) => {
    expect(passwordFault(password, 'ada@example.org')?.code).toBe(code);
  });

  it('refuses a password that is the name in the address and little more', () => {
    expect(passwordFault('lovelace1234', 'lovelace@example.org')?.code).toBe('PASSWORD_COMMON');
  });
});

describe('generatePassword', () => {
  it('makes a good and different one each time', () => {
    const made = Array.from({ length: 50 }, generatePassword);
    expect(new Set(made).size).toBe(50);
    for (const password of made) expect(passwordFault(password, 'ada@example.org')).toBeUndefined();
  });
});
