import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import request from 'supertest';
import type TestAgent from 'supertest/lib/agent.js';
import { type Config, loadConfig } from '../../src/config/config.js';
import { createApplication } from '../../src/http/application.js';
import { UsersService } from '../../src/modules/users/users.service.js';
import { createTestDatabase } from './database.js';

/** Somebody who is logged in. */
export interface TestUser {
  id: string;
  email: string;
  password: string;
  accessToken: string;
  refreshToken: string;
  /** Their personal team. */
  teamId: string;
}

/** The whole control plane, listening on a free port with a database of its own. */
export class TestApplication {
  private constructor(
    readonly app: NestExpressApplication,
    readonly config: Config,
    private readonly home: string,
  ) {}

  static async start(overrides: Partial<Config> = {}): Promise<TestApplication> {
    const database = await createTestDatabase();
    const home = await mkdtemp(join(tmpdir(), 'hithe-http-'));
    const environment = { HITHE_HOME: home, HITHE_DATABASE_URL: database.url, HITHE_LOG_LEVEL: process.env['HITHE_LOG_LEVEL'] ?? 'silent' };
    const config = loadConfig(environment, overrides);
    const app = await createApplication(config);
    await app.listen(0, '127.0.0.1');
    return new TestApplication(app, config, home);
  }

  /** Sends requests; chain `.set(bearer(user))`. */
  get http(): TestAgent {
    return request(this.app.getHttpServer());
  }

  /** A new user with a personal team, logged in. */
  async user(email: string, options: { platformAdmin?: boolean } = {}): Promise<TestUser> {
    const password = 'a rather long passphrase';
    const { user } = await this.app.get(UsersService, { strict: false }).open({ email, password, ...options });
    const grant = (await this.http.post('/api/v1/auth/login').send({ email, password }).expect(200)).body as {
      accessToken: string;
      refreshToken: string;
    };
    const me = (await this.http.get('/api/v1/me').set(bearer(grant)).expect(200)).body as { teams: { id: string }[] };
    const [team] = me.teams;
    if (!team) throw new Error(`${email} has no personal team`);
    return { id: user.id, email, password, accessToken: grant.accessToken, refreshToken: grant.refreshToken, teamId: team.id };
  }

  async stop(): Promise<void> {
    await this.app.close();
    await rm(this.home, { recursive: true });
  }
}

/** The header that proves who asks. */
export function bearer(user: { accessToken: string }): Record<string, string> {
  return { Authorization: `Bearer ${user.accessToken}` };
}
