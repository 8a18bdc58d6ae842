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

const COLUMNS = `p.id, p.team_id AS "teamId", p.name, p.spec, p.spec_version AS "specVersion", p.release, p.deploy_failed AS "deployFailed",
  p.active_deployment_id AS "activeDeploymentId", p.activity, p.created_at AS "createdAt", p.updated_at AS "updatedAt"`;
const STATES = `SELECT project_id AS "projectId", desired, observed->>'state' AS state FROM allocations WHERE project_id = ANY($1)`;

function view(project, allocations) {
  const known = allocations.map(({ desired, state }) => ({ desired, observed: state === null ? null : { state } }));
  return ProjectDto.from({ project, state: projectState({ ...project, allocations: known }) });
}

async function statesOf(ids) {
  const byProject = new Map(ids.map((id) => [id, []]));
  for (const row of (await pool.query(STATES, [ids])).rows) byProject.get(row.projectId).push(row);
  return byProject;
}

class BareController {
  async list(request) {
    const { caller, limit } = request.query;
    const teams = teamsOf[Number(caller)];
    const most = Number(limit);
    const where = teams.length === 0 ? '' : 'WHERE p.team_id = ANY($2)';
    const { rows } = await pool.query(
      `SELECT ${COLUMNS} FROM projects p ${where} ORDER BY p.id LIMIT $1`,
      teams.length === 0 ? [most + 1] : [most + 1, teams],
    );
    const items = rows.slice(0, most);
    const states = await statesOf(items.map(({ id }) => id));
    const nextCursor = rows.length > most ? Buffer.from(items.at(-1).id).toString('base64url') : null;
    return { items: items.map((project) => view(project, states.get(project.id))), nextCursor };
  }

  async get(request) {
    const { id } = request.params;
    const { rows } = await pool.query(`SELECT ${COLUMNS} FROM projects p WHERE p.id = $1`, [id]);
    return view(rows[0], (await statesOf([id])).get(id));
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
