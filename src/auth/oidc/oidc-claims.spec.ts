import { describe, expect, it } from '@jest/globals';
import { claimsOf } from './oidc-claims.js';

const ID_TOKEN = { iss: 'https://login.example.org', sub: 's1' };

describe('claimsOf', () => {
  it('takes what is there, and nothing for granted', () => {
    expect(claimsOf(ID_TOKEN, {}, 'groups')).toEqual({
      issuer: 'https://login.example.org',
      subject: 's1',
      email: null,
      emailVerified: false,
      groups: [],
      multiFactor: false,
    });
    const odd = { email: 42, email_verified: 'yes', groups: [1, 'dev', null], amr: 'pwd' };
    expect(claimsOf(ID_TOKEN, odd, 'groups')).toMatchObject({ email: null, emailVerified: false, groups: ['dev'], multiFactor: false });
  });

  it('prefers the ID token, which is signed, over the user info', () => {
    const claims = claimsOf(
      { ...ID_TOKEN, email: 'Ada@Example.org', email_verified: true },
      { sub: 's2', email: 'eve@example.org' },
      'groups',
    );
    expect(claims).toMatchObject({ subject: 's1', email: 'ada@example.org', emailVerified: true });
  });

  it('does not let the ID token’s address ride on a verification of the user info’s', () => {
    const claims = claimsOf({ ...ID_TOKEN, email: 'ada@example.org' }, { email: 'eve@example.org', email_verified: true }, 'groups');
    expect(claims).toMatchObject({ email: 'ada@example.org', emailVerified: false });
    const same = claimsOf({ ...ID_TOKEN, email: 'ada@example.org' }, { email: 'ada@example.org', email_verified: true }, 'groups');
    expect(same.emailVerified).toBe(true);
  });

  it.each([
    [true, true],
    ['true', true],
    ['false', false],
    [1, false],
  ])('reads email_verified %j as %s', (value, verified) => {
    expect(claimsOf({ ...ID_TOKEN, email: 'a@b.c', email_verified: value }, {}, 'groups').emailVerified).toBe(verified);
  });

  it.each([
    [['pwd'], false],
    [['pwd', 'mfa'], true],
    [['pwd', 'otp'], true],
    [['otp'], false],
    [['hwk', 'user'], false],
    [['hwk', 'pin'], true],
    [['constructor', 'pwd'], false],
    [undefined, false],
  ])('amr %j stands for two factors: %s', (amr, multiFactor) => {
    expect(claimsOf({ ...ID_TOKEN, amr }, {}, 'groups').multiFactor).toBe(multiFactor);
  });

  it('reads groups from the claim that the operator names, one or many', () => {
    expect(claimsOf({ ...ID_TOKEN, roles: 'dev' }, { groups: ['ops'] }, 'roles').groups).toEqual(['dev']);
  });

  it('refuses a token without a subject', () => {
    expect(() => claimsOf({ iss: 'https://login.example.org', sub: '' }, {}, 'groups')).toThrow('subject');
  });
});
