import { describe, expect, it } from '@jest/globals';
import { parseOidcGroups } from './oidc-groups.js';

describe('parseOidcGroups', () => {
  it('reads roles by team, and platform administrators', () => {
    expect(parseOidcGroups('{"developers": {"harbour-crew": "developer", "docs": "viewer"}, "operators": "platform-admin"}')).toEqual({
      developers: { platformAdmin: false, teams: { 'harbour-crew': 'developer', docs: 'viewer' } },
      operators: { platformAdmin: true, teams: {} },
    });
    expect(parseOidcGroups('{}')).toEqual({});
  });

  it.each(['', 'developers', '[]', 'null', '{"a": "admin"}', '{"a": {"team": "king"}}', '{"a": ["team"]}', '{"a": 1}'])(
    'refuses %s',
    (text) => {
      expect(parseOidcGroups(text)).toBe(false);
    },
  );
});
