import { describe, expect, it } from '@jest/globals';
import { hithePaths, pathsBelow, tenantUidBase } from './home.js';

describe('hithePaths', () => {
  it('puts everything below HITHE_HOME', () => {
    const paths = hithePaths({ HITHE_HOME: '/srv/hithe' });
    expect(paths.control.databaseUrl).toBe('/srv/hithe/control/secrets/database-url');
    expect(paths.agent.allocations).toBe('/srv/hithe/agent/allocations');
    expect(paths.store).toBe('/srv/hithe/store');
  });

  it('lets several homes share a store and a cache', () => {
    const paths = hithePaths({ HITHE_HOME: '/srv/hithe', HITHE_STORE: '/srv/store', HITHE_CACHE: '/srv/cache' });
    expect([paths.store, paths.cache]).toEqual(['/srv/store', '/srv/cache']);
    expect(paths.tenants).toBe('/srv/hithe/tenants');
  });

  it('refuses a relative home', () => {
    expect(() => pathsBelow('var/hithe')).toThrow('absolute');
  });
});

describe('tenantUidBase', () => {
  it('is stable for a home, lies in the reserved range, and differs between homes', () => {
    const bases = ['/var/lib/hithe', '/srv/a', '/srv/b'].map((home) => tenantUidBase(home, {}));
    expect(tenantUidBase('/var/lib/hithe', {})).toBe(bases[0]);
    expect(new Set(bases).size).toBe(3);
    for (const base of bases) expect(base >= 1_900_000_000 && base < 2_000_000_000 && base % 100_000 === 0).toBe(true);
  });

  it('honours HITHE_TENANT_UID_BASE and refuses nonsense', () => {
    expect(tenantUidBase('/srv/a', { HITHE_TENANT_UID_BASE: '300000' })).toBe(300_000);
    expect(() => tenantUidBase('/srv/a', { HITHE_TENANT_UID_BASE: 'many' })).toThrow('HITHE_TENANT_UID_BASE');
  });
});
