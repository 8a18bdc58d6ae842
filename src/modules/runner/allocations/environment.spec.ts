import { describe, expect, it } from '@jest/globals';
import { type DesiredAllocation, desiredAllocationSchema } from '../../../link/messages.js';
import { manifestSchema } from '../../ports/domain/manifest.js';
import { componentEnvironment, constantEnvironment, scriptEnvironment } from './environment.js';

const id = '018f0000-0000-7000-8000-000000000001';
const allocation = (patch: Partial<DesiredAllocation> = {}): DesiredAllocation =>
  desiredAllocationSchema.parse({
    id,
    epoch: 1,
    desired: 'running',
    tenant: { number: 1, slug: 'acme' },
    projectId: id,
    project: 'shop',
    component: 'web',
    release: 1,
    port: 'nodejs-app',
    version: '24',
    vars: { WORKERS: '2' },
    env: {},
    needs: { db: id },
    listen: { http: { address: '127.0.0.1', port: 20001 } },
    health: {},
    ...patch,
  });
const manifest = manifestSchema.parse({
  name: 'nodejs-app',
  title: 'Node.js app',
  description: 'x',
  category: 'apps',
  hithe: {
    kind: 'app',
    requires: { nodejs: '$VERSION' },
    endpoints: { http: { protocol: 'http', var: 'PORT', socket: 'web.sock' }, debug: { protocol: 'tcp', var: 'DEBUG_PORT' } },
  },
});
const paths = { tenant: '/srv/tenants/acme', component: '/srv/tenants/acme/shop/web' };

describe('scriptEnvironment', () => {
  it('gives paths, versions, vars and the leased network ports', () => {
    expect(scriptEnvironment({ allocation: allocation(), manifest, paths, releaseDir: `${paths.component}/releases/1` })).toMatchObject({
      INSTALL_DIR: '/srv/tenants/acme/shop',
      DATA_DIR: '/srv/tenants/acme/shop/web/data',
      RUN_DIR: '/run/web',
      RELEASE_DIR: '/opt/hithe/release',
      NODEJS_APP_VERSION: '24',
      NODEJS_VERSION: '24',
      WORKERS: '2',
      PORT: '20001',
      LIBSCRIPT_LISTEN_ADDRESS: '127.0.0.1',
      LIBSCRIPT_LISTEN_PORT: '20001',
      LIBSCRIPT_LISTEN_SOCKET: '/run/web/web.sock',
    });
  });

  it('leaves out what has no value', () => {
    const env = scriptEnvironment({ allocation: allocation({ listen: {} }), manifest, paths, releaseDir: undefined });
    expect(env).not.toHaveProperty('LIBSCRIPT_LISTEN_PORT');
    expect(env).not.toHaveProperty('RELEASE_DIR');
  });
});

describe('componentEnvironment', () => {
  const needs = { db: { POSTGRES_URL: 'postgres://db', HOST: 'a' }, cache: { VALKEY_URL: 'valkey://c', HOST: 'b' } };

  it('resolves references, several in one value too', () => {
    const env = { URLS: '${db.POSTGRES_URL},${cache.VALKEY_URL}', PLAIN: '$HOME ${x}' };
    expect(componentEnvironment(allocation({ env }), needs)).toMatchObject({ URLS: 'postgres://db,valkey://c', PLAIN: '$HOME ${x}' });
  });

  it('hands on the exports of needs, but none that two of them share', () => {
    expect(componentEnvironment(allocation(), needs)).toEqual({ POSTGRES_URL: 'postgres://db', VALKEY_URL: 'valkey://c' });
  });

  it('does not expand what an export holds', () => {
    const tricky = { db: { A: '${db.B}', B: 'secret' } };
    expect(componentEnvironment(allocation({ env: { X: '${db.A}' } }), tricky)['X']).toBe('${db.B}');
  });

  it('names the variable of a reference that nothing exports', () => {
    const env = { DATABASE_URL: '${db.MYSQL_URL}' };
    expect(() => componentEnvironment(allocation({ env }), needs)).toThrow(/DATABASE_URL of "web" refers to \$\{db.MYSQL_URL\}/);
  });
});

describe('constantEnvironment', () => {
  it('keeps only what refers to no other component', () => {
    expect(constantEnvironment(allocation({ env: { A: '1', B: 'x${db.POSTGRES_URL}' } }))).toEqual({ A: '1' });
  });
});
