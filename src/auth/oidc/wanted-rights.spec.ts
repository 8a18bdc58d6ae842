import { describe, expect, it } from '@jest/globals';
import { parseOidcGroups } from '../../config/oidc-groups.js';
import { wantedRights } from './wanted-rights.js';

const mapping = parseOidcGroups(
  '{"developers": {"crew": "developer", "docs": "viewer"}, "leads": {"crew": "admin"}, "audit": {"docs": "auditor"}, "ops": "platform-admin"}',
);
if (mapping === false) throw new TypeError('not a mapping');

describe('wantedRights', () => {
  it.each([
    [[], false, {}],
    [['unknown', 'constructor', '__proto__'], false, {}],
    [['developers'], false, { crew: 'developer', docs: 'viewer' }],
    [['developers', 'leads'], false, { crew: 'admin', docs: 'viewer' }],
    [['leads', 'developers'], false, { crew: 'admin', docs: 'viewer' }],
    [['audit', 'developers', 'ops'], true, { crew: 'developer', docs: 'viewer' }],
    [['developers', 'audit'], false, { crew: 'developer', docs: 'viewer' }],
    [['audit'], false, { docs: 'auditor' }],
  ])('of %j', (groups, platformAdmin, teams) => {
    const wanted = wantedRights(mapping, groups);
    expect({ ...wanted, teams: Object.fromEntries(wanted.teams) }).toEqual({ platformAdmin, teams });
  });
});
