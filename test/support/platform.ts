import { gzipSync } from 'node:zlib';
import { NodesService } from '../../src/modules/nodes/nodes.service.js';
import { bearer, TestApplication, type TestUser } from './application.js';
import { type Script, ScriptedAgent } from './scripted-agent.js';
import { until } from './until.js';

export interface DeploymentBody {
  id: string;
  kind: string;
  state: string;
  release: number | null;
  components: string[];
  steps: { component: string; step: string; state: string; message?: string }[];
  failure?: { component?: string; step: string; exitCode?: number; signal?: string; message: string; logTail: string[]; fix?: string };
}

export interface ComponentBody {
  name: string;
  state: string;
  health: string;
  healthMessage?: string;
  effect?: string;
  version?: string;
  endpoints: { name: string; port: number; url?: string }[];
}

const FINAL = ['succeeded', 'rolled_back', 'failed', 'cancelled'];

/** A control plane with a registered node, and short ways to work with projects. */
export class TestPlatform {
  private constructor(
    readonly application: TestApplication,
    readonly nodeId: string,
    readonly credential: string,
  ) {}

  static async start(overrides: Parameters<typeof TestApplication.start>[0] = {}): Promise<TestPlatform> {
    const application = await TestApplication.start({ portRange: { first: 35_000, last: 35_999 }, ...overrides });
    const { nodeId, credential } = await application.app.get(NodesService, { strict: false }).register('local');
    return new TestPlatform(application, nodeId, credential);
  }

  /** Ends the control plane and starts another on the same database, as after a crash or an update. */
  async restart(): Promise<TestPlatform> {
    const { config } = this.application;
    await this.application.app.close();
    const application = await TestApplication.start({ portRange: config.portRange, databaseUrl: config.databaseUrl, paths: config.paths });
    return new TestPlatform(application, this.nodeId, this.credential);
  }

  async url(): Promise<string> {
    return this.application.app.getUrl();
  }

  async agent(script?: Script): Promise<ScriptedAgent> {
    return ScriptedAgent.connect(await this.url(), this.credential, script === undefined ? {} : { script });
  }

  async upload(user: TestUser, text: string): Promise<string> {
    const answer = await this.application.http
      .post(`/api/v1/teams/${user.teamId}/sources`)
      .set(bearer(user))
      .set('Content-Type', 'application/gzip')
      .send(gzipSync(text))
      .expect(201);
    return (answer.body as { digest: string }).digest;
  }

  async apply(user: TestUser, spec: { name: string; components: object }): Promise<string> {
    const answer = await this.application.http.put(`/api/v1/teams/${user.teamId}/projects/${spec.name}`).set(bearer(user)).send({ spec });
    if (answer.status > 201) throw new Error(JSON.stringify(answer.body));
    return (answer.body as { id: string }).id;
  }

  async start(user: TestUser, projectId: string, kind: string, components?: string[]): Promise<string> {
    const body = { kind, ...(components === undefined ? {} : { components }) };
    const answer = await this.application.http.post(`/api/v1/projects/${projectId}/deployments`).set(bearer(user)).send(body);
    if (answer.status !== 202) throw new Error(JSON.stringify(answer.body));
    return (answer.body as { id: string }).id;
  }

  async deployment(user: TestUser, id: string): Promise<DeploymentBody> {
    return (await this.application.http.get(`/api/v1/deployments/${id}`).set(bearer(user)).expect(200)).body as DeploymentBody;
  }

  /** Waits until the deployment is over. */
  async ended(user: TestUser, id: string): Promise<DeploymentBody> {
    let found = await this.deployment(user, id);
    await until(async () => {
      found = await this.deployment(user, id);
      return FINAL.includes(found.state);
    }, 20_000);
    return found;
  }

  /** Starts a deployment and waits until it is over. */
  async run(user: TestUser, projectId: string, kind: string, components?: string[]): Promise<DeploymentBody> {
    return this.ended(user, await this.start(user, projectId, kind, components));
  }

  async status(
    user: TestUser,
    projectId: string,
  ): Promise<{ state: string; health: string; release: number | null; components: ComponentBody[] }> {
    const answer = await this.application.http.get(`/api/v1/projects/${projectId}/status`).set(bearer(user)).expect(200);
    return answer.body as { state: string; health: string; release: number | null; components: ComponentBody[] };
  }

  async stop(): Promise<void> {
    await this.application.stop();
  }
}

/** A project of a database, a cache and an app on both. */
export function guestbook(
  digest: string,
  change: { db?: object; cache?: object; web?: object } = {},
): { name: string; components: Record<string, object> } {
  return {
    name: 'guestbook',
    components: {
      db: { port: 'postgres', version: '17', vars: { POSTGRES_DB: 'guestbook' }, ...change.db },
      cache: { port: 'valkey', version: '8', ...change.cache },
      web: {
        port: 'nodejs-app',
        version: '24',
        source: { path: './app', digest },
        needs: ['db', 'cache'],
        env: { DATABASE_URL: '${db.POSTGRES_URL}' },
        ...change.web,
      },
    },
  };
}
