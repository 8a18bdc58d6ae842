// What the API is measured against: a Nest handler with nothing around it. The same rows by the same SQL, through a pool of the same
// size, turned into the same DTOs by the same code; without log-in, guards, policies, row-level security, validation or a log.
import 'reflect-metadata';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Controller, Get, Module, Req } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';

const { BENCH_ROOT: root, BENCH_DATABASE_URL: connectionString, BENCH_POOL: max, BENCH_CALLERS: callers } = process.env;
const load = (file) => import(pathToFileURL(join(root, 'dist/src/modules/projects', file)).href);
const [{ ProjectDto }, { projectState }] = await Promise.all([load('dto/project.dto.js'), load('domain/project-state.js')]);

const pool = new pg.Pool({ connectionString, max: Number(max) });
/** The teams of each caller; none: all. What the API finds out for each request is given here. */
const teamsOf = JSON.parse(callers);

const VIEW = `
  SELECT p.id, p.team_id AS "teamId", p.name, p.spec, p.spec_version AS "specVersion", p.release, p.deploy_failed AS "deployFailed", p.protected,
         p.active_deployment_id AS "activeDeploymentId", p.activity,
         floor(extract(epoch FROM p.created_at) / 0.001)::float8 AS created, floor(extract(epoch FROM p.updated_at) / 0.001)::float8 AS updated,
         (SELECT string_agg(a.desired || ':' || coalesce(a.observed->>'state', ''), ',') FROM allocations a WHERE a.project_id = p.id) AS states
  FROM projects p`;

/** Prepared, as the control plane does it with what it asks all the time. */
function ask(name, text, values) {
  return pool.query({ name, text, values });
}

function view({ created, updated, states, ...row }) {
  const project = { ...row, createdAt: new Date(created), updatedAt: new Date(updated) };
  const allocations = (states ?? '').split(',').map((text) => {
    const [desired, observed] = text.split(':', 2);
    return { desired, observed: observed === '' ? null : { state: observed } };
  });
  return ProjectDto.from({ project, state: projectState({ ...project, allocations }) });
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
