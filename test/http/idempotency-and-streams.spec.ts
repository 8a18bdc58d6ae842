import { mkdtemp, rm } from 'node:fs/promises';
import { type IncomingMessage, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Body, Controller, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import type { Request, Response } from 'express';
import request from 'supertest';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { asSystem } from '../../src/common/request-context.js';
import { AppModule } from '../../src/app.module.js';
import { Authenticated, Public } from '../../src/auth/auth.decorators.js';
import { DomainError } from '../../src/common/domain-error.js';
import { loadConfig } from '../../src/config/config.js';
import { configureHttp } from '../../src/http/application.js';
import { EventStreams, type ServerEvent, type StreamContext } from '../../src/http/event-streams.js';
import { Idempotent } from '../../src/http/idempotency.js';
import { UsersService } from '../../src/modules/users/users.service.js';
import { createTestDatabase } from '../support/database.js';
import { until } from '../support/until.js';

/** What the probe's routes do, and how often they did it. */
const probe = {
  started: 0,
  work: (): Promise<unknown> => Promise.resolve({ started: probe.started }),
  events: (_context: StreamContext): AsyncIterable<ServerEvent> => numbers(3),
};

async function* numbers(last: number, after = 0): AsyncGenerator<ServerEvent> {
  for (let id = after + 1; id <= last; id += 1) {
    await Promise.resolve();
    yield { id, event: 'number', data: { id } };
  }
}

@Controller('probe')
class ProbeController {
  constructor(private readonly streams: EventStreams) {}

  @Post()
  @HttpCode(202)
  @Authenticated()
  @Idempotent()
  start(@Body() _body: Record<string, unknown>): Promise<unknown> {
    probe.started += 1;
    return probe.work();
  }

  @Get('events')
  @Public()
  async events(@Req() incoming: Request, @Res() response: Response): Promise<void> {
    await this.streams.send(incoming, response, (context) => probe.events(context));
  }
}

describe('the base of HTTP', () => {
  let app: NestExpressApplication;
  let home: string;
  let port: number;
  const tokens: Record<string, string> = {};

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'hithe-http-'));
    const { url } = await createTestDatabase();
    const config = loadConfig({ HITHE_HOME: home, HITHE_DATABASE_URL: url, HITHE_LOG_LEVEL: 'silent' });
    const module = await Test.createTestingModule({ imports: [AppModule.with(config)], controllers: [ProbeController] }).compile();
    app = module.createNestApplication<NestExpressApplication>({ bodyParser: false, logger: false });
    configureHttp(app);
    await app.listen(0, '127.0.0.1');
    port = Number(new URL(await app.getUrl()).port);
    for (const name of ['ada', 'grace']) {
      const [email, password] = [`${name}@example.org`, 'a rather long passphrase'];
      await app.get(UsersService, { strict: false }).open({ email, password });
      const answer = await request(app.getHttpServer()).post('/api/v1/auth/login').send({ email, password });
      tokens[name] = (answer.body as { accessToken: string }).accessToken;
    }
  });

  afterAll(async () => {
    await app.close();
    await rm(home, { recursive: true });
  });

  describe('Idempotency-Key', () => {
    const post = (key: string | undefined, body: object = { a: 1 }, user = 'ada') => {
      const call = request(app.getHttpServer())
        .post('/api/v1/probe')
        .set('Authorization', `Bearer ${tokens[user] ?? ''}`)
        .send(body);
      return key === undefined ? call : call.set('Idempotency-Key', key);
    };

    beforeEach(() => {
      probe.started = 0;
      probe.work = () => Promise.resolve({ started: probe.started });
    });

    it('gets the same answer again, and starts nothing twice', async () => {
      const first = await post('key-1').expect(202);
      const second = await post('key-1').expect(202);
      expect(second.body).toEqual(first.body);
      expect(second.headers['idempotency-replayed']).toBe('true');
      expect(probe.started).toBe(1);
    });

    it('is the caller’s own', async () => {
      await post('key-2').expect(202);
      await post('key-2', { a: 1 }, 'grace').expect(202);
      expect(probe.started).toBe(2);
    });

    it('stands for one request only', async () => {
      await post('key-3').expect(202);
      expect((await post('key-3', { a: 2 }).expect(409)).body).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    });

    it('is forgotten after a day, for another request too', async () => {
      await post('key-6').expect(202);
      await asSystem('test', () =>
        app.get(DataSource).query(`UPDATE idempotency_keys SET updated_at = now() - interval '25 hours' WHERE key = 'key-6'`),
      );
      const second = await post('key-6', { a: 2 }).expect(202);
      expect(probe.started).toBe(2);
      expect((await post('key-6', { a: 2 }).expect(202)).body).toEqual(second.body);
      expect(probe.started).toBe(2);
    });

    it('is given back after a failure', async () => {
      probe.work = () => Promise.reject(new DomainError('unavailable', 'NO_NODE', 'no node'));
      await post('key-4').expect(503);
      probe.work = () => Promise.resolve({ ok: true });
      expect((await post('key-4').expect(202)).body).toEqual({ ok: true });
    });

    it('tells a repetition that the first one is still being worked on, unless its process must have died', async () => {
      const finish: (() => void)[] = [];
      probe.work = () =>
        new Promise((resolve) => {
          finish.push(() => {
            resolve({ ok: true });
          });
        });
      const first = post('key-5').then((answer) => answer.status);
      await until(() => finish.length === 1);
      expect((await post('key-5').expect(409)).body).toMatchObject({ code: 'REQUEST_IN_PROGRESS' });
      await asSystem('test', () =>
        app.get(DataSource).query(`UPDATE idempotency_keys SET updated_at = now() - interval '3 minutes' WHERE key = 'key-5'`),
      );
      const second = post('key-5').then((answer) => answer.status);
      await until(() => finish.length === 2);
      for (const each of finish) each();
      expect(await Promise.all([first, second])).toEqual([202, 202]);
    });

    it('is optional, and must be text without blanks', async () => {
      await post(undefined).expect(202);
      await post(undefined).expect(202);
      expect(probe.started).toBe(2);
      expect((await post('a b').expect(400)).body).toMatchObject({ code: 'IDEMPOTENCY_KEY_INVALID' });
    });
  });

  describe('event streams', () => {
    const open = (headers: Record<string, string> = {}): Promise<IncomingMessage> =>
      new Promise((resolve, reject) => {
        get({ host: '127.0.0.1', port, path: '/api/v1/probe/events', headers }, resolve).on('error', reject);
      });
    const textOf = async (stream: IncomingMessage): Promise<string> => {
      let text = '';
      stream.setEncoding('utf8');
      for await (const part of stream) text += String(part);
      return text;
    };
    const streams = () => app.get(EventStreams, { strict: false });

    it('carry each event, and end with their source', async () => {
      probe.events = () => numbers(2);
      const stream = await open();
      expect(stream.headers).toMatchObject({ 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
      expect(await textOf(stream)).toBe('retry: 1000\n\nid: 1\nevent: number\ndata: {"id":1}\n\nid: 2\nevent: number\ndata: {"id":2}\n\n');
    });

    it('go on after the last event that the client has seen', async () => {
      probe.events = ({ lastEventId }) => numbers(3, Number(lastEventId));
      expect(await textOf(await open({ 'Last-Event-ID': '2' }))).toBe('retry: 1000\n\nid: 3\nevent: number\ndata: {"id":3}\n\n');
    });

    it('answer with a problem when they cannot begin', async () => {
      probe.events = () => {
        throw new DomainError('not-found', 'PROBE_NOT_FOUND', 'There is no such probe.');
      };
      const answer = await request(app.getHttpServer()).get('/api/v1/probe/events').expect(404);
      expect(answer.body).toMatchObject({ code: 'PROBE_NOT_FOUND' });
    });

    it('tell their source when the client has gone', async () => {
      let aborted = false;
      probe.events = ({ signal }) => waiting(signal, () => (aborted = true));
      const stream = await open();
      await until(() => streams().size === 1);
      stream.destroy();
      await until(() => aborted && streams().size === 0);
    });

    it('are cut when their source fails, so that the client comes back', async () => {
      probe.events = async function* broken() {
        yield { id: 1, data: 1 };
        await Promise.resolve();
        throw new Error('broken source');
      };
      await expect(open().then(textOf)).rejects.toThrow(/aborted|hang up/);
    });

    it('do not read their source faster than the client reads', async () => {
      let made = 0;
      probe.events = async function* flood() {
        for (; made < 10_000; made += 1) {
          await Promise.resolve();
          yield { id: made, data: 'x'.repeat(10_000) };
        }
      };
      const stream = await open();
      stream.pause();
      let before = -1;
      await until(async () => {
        const still = made === before;
        before = made;
        await delay(50);
        return still && made > 0;
      });
      expect(made).toBeLessThan(10_000);
      stream.destroy();
      await until(() => streams().size === 0);
    });

    it('end when the server stops', async () => {
      probe.events = ({ signal }) => waiting(signal, () => undefined);
      const stream = await open();
      await until(() => streams().size === 1);
      streams().onModuleDestroy();
      expect(await textOf(stream)).toBe('retry: 1000\n\n');
    });
  });
});

async function* waiting(signal: AbortSignal, onAbort: () => unknown): AsyncGenerator<ServerEvent> {
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => {
      onAbort();
      resolve();
    });
  });
  yield* [];
}
