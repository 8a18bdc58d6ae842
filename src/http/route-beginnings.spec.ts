import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { Express, Request, Response } from 'express';
import { compareBeginningsFirst } from './route-beginnings.js';

const PATHS = ['/', '/api/things', '/api/things/:id', '/api/Other/', '/api/files/*path', '/:any/last'];
const ASKED = [
  '/',
  '/api/things',
  '/API/Things/',
  '/api/things/7?x=/api/other',
  '/api/things/7/8',
  '/api/thingsandmore',
  '/api/other',
  '/api/OTHER/',
  '/api/files/a/b',
  '/api/files',
  '/some/last',
  '/api/things/%E0%A4%A',
  '/nothing/here',
];

describe('compareBeginningsFirst', () => {
  const servers: Server[] = [];
  const bases: string[] = [];

  beforeAll(async () => {
    for (const compared of [false, true]) {
      const app = new ExpressAdapter().getInstance<Express>();
      if (compared) compareBeginningsFirst(app);
      for (const path of PATHS) app.get(path, (request: Request, response: Response) => response.json([path, request.params]));
      const server = app.listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      servers.push(server);
      bases.push(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    }
  });
  afterAll(() => {
    for (const server of servers) server.close();
  });

  it.each(ASKED)('finds the same route as before for %s', async (path) => {
    const [before, after] = await Promise.all(
      bases.map(async (base) => {
        const answer = await fetch(base + path);
        return [answer.status, answer.status === 200 ? await answer.json() : ''];
      }),
    );
    expect(after).toEqual(before);
  });
});
