import { gzipSync } from 'node:zlib';
import type { TableRole } from '../../../src/auth/role-table.js';
import type { TestUser } from '../../support/application.js';
import { TestPlatform } from '../../support/platform.js';
import type { ScriptedAgent } from '../../support/scripted-agent.js';
import type { Caller, Sent } from './route-case.js';

/** Roles of people; tokens stand beside them. */
export const PEOPLE = ['platform-admin', 'owner', 'admin', 'developer', 'viewer', 'auditor'] as const satisfies readonly TableRole[];
export type Person = (typeof PEOPLE)[number];

/** What came back; `body` is undefined for streams, which are left at once. */
export interface Answer {
  status: number;
  body: { code?: string; items?: { id?: string }[] } & Record<string, unknown>;
}

export interface TeamProject {
  id: string;
  name: string;
}

/** The team under test with its projects, a member of each role, and the owner of another team. */
export class Stage {
  private count = 0;

  private constructor(
    readonly platform: TestPlatform,
    private readonly agent: ScriptedAgent,
    private readonly url: string,
    readonly people: Readonly<Record<Person, TestUser>>,
    readonly stranger: TestUser,
    /** The team under test. */
    readonly teamId: string,
  ) {}

  /** A shared project of the team, and a protected one: for requests that leave them as they are. */
  project: TeamProject = { id: '', name: '' };
  shielded: TeamProject = { id: '', name: '' };

  static async set(): Promise<Stage> {
    const platform = await TestPlatform.start();
    const agent = await platform.agent();
    const { application } = platform;
    const people = {} as Record<Person, TestUser>;
    for (const role of PEOPLE) people[role] = await application.user(`${role}@stage.test`, { platformAdmin: role === 'platform-admin' });
    const stranger = await application.user('stranger@stage.test');
    const team = await send<{ id: string }>(await platform.url(), people.owner, 'POST', '/api/v1/teams', { name: 'Stage' });
    const stage = new Stage(platform, agent, await platform.url(), people, stranger, team.id);
    for (const role of ['admin', 'developer', 'viewer', 'auditor'] as const) await stage.addMember(people[role].email, role);
    stage.project = await stage.freshProject(false);
    stage.shielded = await stage.freshProject(true);
    return stage;
  }

  /** The shared project, or the protected one. */
  projectOf(shielded: boolean): TeamProject {
    return shielded ? this.shielded : this.project;
  }

  /** A new name, different on every call. */
  name(prefix: string): string {
    this.count += 1;
    return `${prefix}-${this.count}`;
  }

  /** A new project of the team, to be used up. */
  async freshProject(shielded: boolean): Promise<TeamProject> {
    const name = this.name('project');
    const project = await this.asOwner<{ id: string }>('PUT', `/api/v1/teams/${this.teamId}/projects/${name}`, { spec: specOf(name) });
    if (shielded) await this.asOwner('PUT', `/api/v1/projects/${project.id}/protection`, { protected: true });
    return { id: project.id, name };
  }

  /** A new deployment of a new project; it runs, or is over soon. */
  async freshDeployment(shielded: boolean): Promise<{ id: string; project: TeamProject }> {
    const project = await this.freshProject(shielded);
    const { id } = await this.asOwner<{ id: string }>('POST', `/api/v1/projects/${project.id}/deployments`, { kind: 'deploy' });
    return { id, project };
  }

  /** A new user, who belongs to nothing but their own team. */
  freshUser(options: { platformAdmin?: boolean } = {}): Promise<TestUser> {
    return this.platform.application.user(`${this.name('somebody')}@stage.test`, options);
  }

  /** A new member of the team with this role. */
  async freshMember(role = 'viewer'): Promise<TestUser> {
    const user = await this.freshUser();
    await this.addMember(user.email, role);
    return user;
  }

  /** Runs a request of the team's owner and gives its answer; fails on anything but success. */
  asOwner<T>(method: string, path: string, body?: unknown): Promise<T> {
    return send<T>(this.url, this.people.owner, method, path, body);
  }

  /** The same for the platform administrator. */
  asPlatformAdmin<T>(method: string, path: string, body?: unknown): Promise<T> {
    return send<T>(this.url, this.people['platform-admin'], method, path, body);
  }

  /** The same for anybody. */
  as<T>(user: { accessToken: string }, method: string, path: string, body?: unknown): Promise<T> {
    return send<T>(this.url, user, method, path, body);
  }

  /** A source archive, as the CLI uploads one. */
  archive(): { type: string; content: Buffer } {
    return { type: 'application/gzip', content: gzipSync(this.name('source')) };
  }

  /** The person as a caller of the matrix. */
  caller(name: string, user: TestUser): Caller {
    return { name, userId: user.id, email: user.email, teamId: user.teamId, authorization: `Bearer ${user.accessToken}` };
  }

  /** Sends what a route case made, with the caller's credential. */
  async call(method: string, sent: Sent, authorization: string | undefined): Promise<Answer> {
    const leave = new AbortController();
    const content = sent.raw?.content ?? (sent.body === undefined ? undefined : JSON.stringify(sent.body));
    const response = await fetch(`${this.url}${sent.path}`, {
      method,
      redirect: 'manual',
      signal: leave.signal,
      headers: {
        ...(content === undefined ? {} : { 'Content-Type': sent.raw?.type ?? 'application/json' }),
        ...(authorization === undefined ? {} : { Authorization: authorization }),
        ...sent.headers,
      },
      ...(content === undefined ? {} : { body: content }),
    });
    const type = response.headers.get('content-type') ?? '';
    if (type.startsWith('text/event-stream')) {
      leave.abort();
      return { status: response.status, body: {} };
    }
    const text = await response.text();
    return { status: response.status, body: /[/+]json\b/.test(type) ? (JSON.parse(text) as Answer['body']) : {} };
  }

  async strike(): Promise<void> {
    await this.agent.end();
    await this.platform.stop();
  }

  private async addMember(email: string, role: string): Promise<void> {
    await this.asOwner('PUT', `/api/v1/teams/${this.teamId}/members`, { email, role });
  }
}

/** A project that needs nothing and that the scripted node runs at once. */
export function specOf(name: string): { name: string; components: object } {
  return { name, components: { cache: { port: 'valkey', version: '8' } } };
}

async function send<T>(url: string, user: { accessToken: string }, method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { Authorization: `Bearer ${user.accessToken}`, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`The stage could not be set: ${method} ${path} answered ${response.status} ${text}`);
  return (text === '' ? {} : JSON.parse(text)) as T;
}
