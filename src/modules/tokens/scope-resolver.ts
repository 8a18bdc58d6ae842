import { Injectable } from '@nestjs/common';
import type { Actor } from '../../auth/actor.js';
import { SCOPE_NAMES, type Scope, parseScope, scopeText } from '../../auth/token-scopes.js';
import type { Fault } from '../../common/domain-error.js';
import { invalidRequest } from '../../http/validation.js';
import type { ProjectRecord } from '../projects/domain/project.js';
import { ProjectsService } from '../projects/projects.service.js';
import { TeamsService } from '../teams/teams.service.js';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Scopes as a token keeps them, and the team that they tie it to. */
export interface ResolvedScopes {
  scopes: string[];
  teamId: string | null;
}

/** Turns what people write (`deploy:web-shop/guestbook`) into what tokens keep (`deploy:<id>`): a new project of an old name is another one. */
@Injectable()
export class ScopeResolver {
  constructor(
    private readonly projects: ProjectsService,
    private readonly teams: TeamsService,
  ) {}

  /** Throws `REQUEST_INVALID` for unknown scopes, and when projects are of another team than `teamId` or than each other. */
  async resolve(actor: Actor, written: readonly string[], teamId: string | null): Promise<ResolvedScopes> {
    const scopes = written.map((text, index) => parseScope(text) ?? unknownScope(text, index));
    const resolved: string[] = [];
    let team = teamId;
    for (const [index, scope] of scopes.entries()) {
      if (scope.project === undefined) {
        resolved.push(scopeText(scope));
        continue;
      }
      const project = await this.projectOf(actor, scope.project, index);
      if (team !== null && team !== project.teamId) throw otherTeam(index);
      team = project.teamId;
      resolved.push(scopeText({ name: scope.name, project: project.id }));
    }
    assertNotBoth(scopes);
    return { scopes: [...new Set(resolved)], teamId: team };
  }

  private async projectOf(actor: Actor, written: string, index: number): Promise<ProjectRecord> {
    if (UUID.test(written)) return this.projects.require(actor, written, 'read');
    const [slug, name, ...rest] = written.split('/');
    const team = (await this.teams.ofActor(actor)).find((each) => each.slug === slug);
    const found = team === undefined || name === undefined || rest.length > 0 ? null : await this.projects.byName(team.id, name);
    if (found !== null) return this.projects.require(actor, found.id, 'read');
    throw faulty(
      index,
      'PROJECT_UNKNOWN',
      `There is no project "${written}" that you can see.`,
      'Write team/name, or its id: hithe projects.',
    );
  }
}

/** A whole scope beside a narrowed one of the same name makes the narrowing vain: surely not what was meant. */
function assertNotBoth(scopes: readonly Scope[]): void {
  for (const [index, scope] of scopes.entries()) {
    if (scope.project === undefined || !scopes.some((other) => other.name === scope.name && other.project === undefined)) continue;
    throw faulty(index, 'SCOPE_TWICE', `"${scope.name}" is there for all projects too.`, `Leave out "${scope.name}", or this one.`);
  }
}

function unknownScope(text: string, index: number): never {
  throw faulty(
    index,
    'SCOPE_UNKNOWN',
    `"${text}" is not a scope.`,
    `Scopes: ${SCOPE_NAMES.join(', ')}; with a project: ${SCOPE_NAMES[1] ?? ''}:team/name.`,
  );
}

function otherTeam(index: number): Error {
  return faulty(index, 'SCOPE_OF_OTHER_TEAM', 'This project is of another team than the token.', 'Make a token for each team.');
}

function faulty(index: number, code: string, message: string, fix: string): Error {
  const fault: Fault = { path: `scopes[${index}]`, code, message, fix };
  return invalidRequest([fault]);
}
