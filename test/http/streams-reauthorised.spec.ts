import { mkdtemp, rm } from 'node:fs/promises';
import { type IncomingMessage, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Controller, Get, Req, Res } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import type { Request, Response } from 'express';
import pg from 'pg';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AppModule } from '../../src/app.module.js';
import { Authenticated } from '../../src/auth/auth.decorators.js';
import { RECHECK_MS } from '../../src/auth/reauthorisation.js';
import { loadConfig } from '../../src/config/config.js';
import { configureHttp } from '../../src/http/application.js';
import { EventStreams, type ServerEvent } from '../../src/http/event-streams.js';
import { UsersService } from '../../src/modules/users/users.service.js';
import { createTestDatabase, superuserUrl } from '../support/database.js';
import { until } from '../support/until.js';

/** Never ends by itself. */
async function* quiet(signal: AbortSignal): AsyncGenerator<ServerEvent> {
  yield { data: 'open' };
  await new Promise((resolve) => {
    signal.addEventListener('abort', resolve, { once: true });
  });
}

@Controller('probe')
class ProbeController {
  constructor(private readonly streams: EventStreams) {}

  @Get('follow')
  @Authenticated({ token: 'any' })
  async follow(@Req() incoming: Request, @Res() response: Response): Promise<void> {
    await this.streams.send(incoming, response, ({ signal }) => quiet(signal));
  }
}

interface Person {
  id: string;
  accessToken: string;
  refreshToken: string;
  teamId: string;
}

describe('an open stream', () => {
  let app: NestExpressApplication;
  let home: string;
  let port: number;
  let database: string;
  let ada: Person;
  const password = 'a rather long passphrase';

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'hithe-http-'));
    const { url, name } = await createTestDatabase();
    database = name;
    const config = loadConfig({ HITHE_HOME: home, HITHE_DATABASE_URL: url, HITHE_LOG_LEVEL: 'silent' });
    const module = await Test.createTestingModule({ imports: [AppModule.with(config)], controllers: [ProbeController] }).compile();
    app = module.createNestApplication<NestExpressApplication>({ bodyParser: false, logger: false });
    configureHttp(app);
    await app.listen(0, '127.0.0.1');
    port = Number(new URL(await app.getUrl()).port);
    ada = await person('ada');
  });

  afterAll(async () => {
    await app.close();
    await rm(home, { recursive: true });
  });

  const http = () => request(app.getHttpServer());
  const by = (who: Person) => ({ Authorization: `Bearer ${who.accessToken}` });

  async function person(name: string): Promise<Person> {
    const email = `${name}@example.org`;
    const { user } = await app.get(UsersService, { strict: false }).open({ email, password });
    const answer = await http().post('/api/v1/auth/login').send({ email, password }).expect(200);
    const { accessToken, refreshToken } = answer.body as { accessToken: string; refreshToken: string };
    const me = await http()
      .get('/api/v1/me')
      .set({ Authorization: `Bearer ${accessToken}` });
    const [team] = (me.body as { teams: { id: string }[] }).teams;
    return { id: user.id, accessToken, refreshToken, teamId: team?.id ?? '' };
  }

  /** A stream that has begun; `cut` resolves once its connection was cut, and never for an ordinary end. */
  async function follow(credential: string): Promise<{ cut: Promise<void>; isOpen: () => boolean; close: () => void }> {
    const stream = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { authorization: `Bearer ${credential}` };
      get({ host: '127.0.0.1', port, path: '/api/v1/probe/follow', headers }, resolve).on('error', reject);
    });
    expect(stream.statusCode).toBe(200);
    let open = true;
    const cut = new Promise<void>((resolve, reject) => {
      stream.on('error', () => {
        open = false;
        resolve();
      });
      stream.on('end', () => {
        reject(new Error('The stream ended as if there were no more'));
      });
    });
    await new Promise((resolve) => stream.once('data', resolve));
    return {
      cut,
      isOpen: () => open,
      close: () => {
        stream.removeAllListeners('error').on('error', () => undefined);
        stream.destroy();
      },
    };
  }

  const putMember = (email: string, role: string) =>
    http().put(`/api/v1/teams/${ada.teamId}/members`).set(by(ada)).send({ email, role }).expect(200);

  it('is cut when its caller loses a membership or a role, and nobody else’s is', async () => {
    const grace = await person('grace');
    await putMember('grace@example.org', 'developer');
    const adas = await follow(ada.accessToken);
    const first = await follow(grace.accessToken);
    await putMember('grace@example.org', 'viewer');
    await first.cut;
    const second = await follow(grace.accessToken);
    await http().delete(`/api/v1/teams/${ada.teamId}/members/${grace.id}`).set(by(ada)).expect(204);
    await second.cut;
    expect(adas.isOpen()).toBe(true);
    adas.close();
  });

  it('is cut when its session ends, and cannot be opened again', async () => {
    const joan = await person('joan');
    const stream = await follow(joan.accessToken);
    await http().post('/api/v1/auth/logout').send({ refreshToken: joan.refreshToken }).expect(204);
    await stream.cut;
    await http().get('/api/v1/probe/follow').set(by(joan)).expect(401);
  });

  it('is cut when its token is revoked', async () => {
    const barbara = await person('barbara');
    const made = await http()
      .post('/api/v1/me/tokens')
      .set(by(barbara))
      .send({ name: 'watch', scopes: ['read'] })
      .expect(201);
    const { id, token } = made.body as { id: string; token: string };
    const stream = await follow(token);
    await http().delete(`/api/v1/me/tokens/${id}`).set(by(barbara)).expect(204);
    await stream.cut;
  });

  it('R20: is cut when its user is disabled, even if no notification says so', async () => {
    const mary = await person('mary');
    const stream = await follow(mary.accessToken);
    const superuser = new pg.Client({ connectionString: superuserUrl(database) });
    await superuser.connect();
    // No trigger runs.
    await superuser.query('SET session_replication_role = replica');
    await superuser.query('UPDATE users SET disabled_at = now() WHERE id = $1', [mary.id]);
    await superuser.end();
    await until(() => !stream.isOpen(), 3 * RECHECK_MS);
  });
});
