// What the API is measured against: a Nest handler with nothing around it. The same rows by the very SQL of the API, prepared too,
// through a pool of the same size, turned into the same DTOs by the API's own code; without log-in, guards, policies, row-level security, validation or a log.
import 'reflect-metadata';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Controller, Get, Module, Req } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';

const { BENCH_ROOT: root, BENCH_DATABASE_URL: connectionString, BENCH_POOL: max, BENCH_CALLERS: callers } = process.env;
const load = (file) => import(pathToFileURL(join(root, 'dist/src/modules/projects', file)).href);
const [{ ProjectDto }, { PROJECT_VIEW: VIEW, projectViewOf }] = await Promise.all([load('dto/project.dto.js'), load('project-views.js')]);
const view = (row) => ProjectDto.from(projectViewOf(row));

const pool = new pg.Pool({ connectionString, max: Number(max) });
/** The teams of each caller; none: all. What the API finds out for each request is given here. */
const teamsOf = JSON.parse(callers);

/** Prepared, as the control plane does it with what it asks all the time. */
function ask(name, text, values) {
  return pool.query({ name, text, values });
}

class BareController {
  async list(request) {
    const { caller, limit } = request.query;
    const teams = teamsOf[Number(caller)];
    const most = Number(limit);
    const { rows } =
      teams.length === 0
        ? await ask('all', `${VIEW} ORDER BY p.id LIMIT $1`, [most + 1])
        : await ask('some', `${VIEW} WHERE p.team_id = ANY($2) ORDER BY p.id LIMIT $1`, [most + 1, teams]);
    const items = rows.slice(0, most);
    const nextCursor = rows.length > most ? Buffer.from(items.at(-1).id).toString('base64url') : null;
    return { items: items.map(view), nextCursor };
  }

  async get(request) {
    const { rows } = await ask('one', `${VIEW} WHERE p.id = $1`, [request.params.id]);
    return view(rows[0]);
  }
}
const route = (path, name) => {
  Get(path)(BareController.prototype, name, Object.getOwnPropertyDescriptor(BareController.prototype, name));
  Req()(BareController.prototype, name, 0);
};
route(undefined, 'list');
route(':id', 'get');
Controller('projects')(BareController);

class BareModule {}
Module({ controllers: [BareController] })(BareModule);

const app = await NestFactory.create(BareModule, { logger: false });
await app.listen(0, '127.0.0.1');
process.send({ port: app.getHttpServer().address().port });
process.once('disconnect', () => process.exit(0));
