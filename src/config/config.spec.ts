import { mkdtempSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Config, loadConfig } from './config.js';
import { envExample } from './env-example.js';
import { declarationsOf } from './env.decorator.js';

const home = { HITHE_HOME: '/nonexistent' };

describe('loadConfig', () => {
  it('needs nothing: every variable has a default', () => {
    const config = loadConfig(home);
    expect(config).toMatchObject({
      httpPort: 7070,
      httpAddress: '127.0.0.1',
      roles: ['api', 'worker'],
      isolation: 'sandbox',
      logLevel: 'info',
    });
    expect(config.portRange).toEqual({ first: 20_000, last: 29_999 });
    expect(config.paths.control.jwtKey).toBe('/nonexistent/control/secrets/jwt-key.pem');
  });

  it('reads which proxies to believe, and from where people come', () => {
    const proxies = (text: string) => loadConfig({ ...home, HITHE_TRUST_PROXY: text }).trustProxy;
    expect([proxies(''), proxies('2'), proxies('loopback, 10.0.0.0/8,::1')]).toEqual([[], 2, ['loopback', '10.0.0.0/8', '::1']]);
    expect(loadConfig({ ...home, HITHE_HTTP_PORT: '8080' }).publicUrl).toBe('http://localhost:8080');
    expect(loadConfig({ ...home, HITHE_PUBLIC_URL: 'https://hithe.example.org/' }).publicUrl).toBe('https://hithe.example.org');
  });

  it('treats an empty variable as absent', () => {
    expect(loadConfig({ ...home, HITHE_HTTP_PORT: '' }).httpPort).toBe(7070);
  });

  it('reads lists', () => {
    const config = loadConfig({ ...home, HITHE_ROLES: 'worker', HITHE_PORTS_PATH: '/a:/b', HITHE_BUILD_ENV: 'A=1 B' });
    expect([config.roles, config.portsPath, config.buildEnv]).toEqual([['worker'], ['/a', '/b'], ['A=1', 'B']]);
    expect(config.has('api')).toBe(false);
  });

  it.each([
    ['HITHE_HTTP_PORT', '70000'],
    ['HITHE_HTTP_PORT', 'seven'],
    ['HITHE_HTTP_ADDRESS', 'localhost!'],
    ['HITHE_DATABASE_URL', 'mysql://x'],
    ['HITHE_ADMIN_EMAIL', 'nobody'],
    ['HITHE_ADMIN_PASSWORD', 'short'],
    ['HITHE_ROLES', 'king'],
    ['HITHE_ISOLATION', 'maybe'],
    ['HITHE_PORTS_PATH', 'relative'],
    ['HITHE_BUILD_ENV', '1=x'],
    ['HITHE_TENANT_UID_BASE', '-5'],
    ['HITHE_PORT_RANGE', '30000-20000'],
    ['HITHE_PORT_RANGE', '80-90'],
    ['HITHE_LOG_LEVEL', 'loud'],
    ['HITHE_ACCESS_TOKEN_TTL', '1'],
    ['HITHE_SIGN_UP', 'everybody'],
    ['HITHE_PUBLIC_URL', 'hithe.example.org'],
    ['HITHE_SMTP_URL', 'http://mail.example.org'],
    ['HITHE_MAIL_FROM', 'Hithe'],
    ['HITHE_TRUST_PROXY', 'everybody'],
    ['HITHE_TRUST_PROXY', '10.0.0.0/99'],
    ['HITHE_SIGNING_KEY_DAYS', '0'],
  ])('refuses %s=%s, names it and says how to mend it', (name, value) => {
    const fix = declarationsOf(Config.prototype).find((each) => each.name === name)?.fix;
    expect(() => loadConfig({ ...home, [name]: value })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', faults: [expect.objectContaining({ path: name, fix })] }),
    );
  });

  it('never repeats a secret in an error', () => {
    const secret = 'hunter2';
    expect(() => loadConfig({ ...home, HITHE_ADMIN_PASSWORD: secret })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(secret) }),
    );
  });

  it('takes the database from the file that the launcher writes, and says what to do when there is none', () => {
    const directory = mkdtempSync(join(tmpdir(), 'hithe-config-'));
    expect(() => loadConfig({ HITHE_HOME: directory }).requireDatabaseUrl()).toThrow(/HITHE_DATABASE_URL is not set/);
    mkdirSync(join(directory, 'control/secrets'), { recursive: true });
    writeFileSync(join(directory, 'control/secrets/database-url'), 'postgresql://hithe@/hithe?host=/run\n');
    expect(loadConfig({ HITHE_HOME: directory }).requireDatabaseUrl()).toBe('postgresql://hithe@/hithe?host=/run');
  });
});

describe('.env.example', () => {
  it('is up to date: run `npm run generate`', () => {
    expect(readFileSync(join(import.meta.dirname, '../../.env.example'), 'utf8')).toBe(envExample());
  });

  it('describes every variable with an example that is valid', () => {
    for (const { name, description, example } of declarationsOf(Config.prototype)) {
      expect(description).not.toBe('');
      expect(() => loadConfig({ ...home, [name]: example })).not.toThrow();
    }
  });
});
