import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Put, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { type Actor, roleIn } from '../../auth/actor.js';
import { CurrentActor, RequireAbility } from '../../auth/auth.decorators.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { IdParam } from '../../http/id-param.js';
import { PageQuery, mapPage } from '../../http/pagination.js';
import { MemberDto, MemberPageDto, PutMemberDto } from './dto/member.dto.js';
import { CreateTeamDto, DeleteTeamQuery, TeamDto, TeamPageDto, TransferTeamDto, UpdateTeamDto } from './dto/team.dto.js';
import { TeamMembersService } from './team-members.service.js';
import { TeamOwnership } from './team-ownership.service.js';
import { TeamsService } from './teams.service.js';

/** Teams and their members. */
@ApiTags('teams')
@Controller('teams')
export class TeamsController {
  constructor(
    private readonly teams: TeamsService,
    private readonly members: TeamMembersService,
    private readonly ownership: TeamOwnership,
  ) {}

  @Post()
  @RequireAbility('create', 'Team')
  @Operation({
    id: 'createTeam',
    summary: 'Create a team',
    description: 'Founds a team; the caller is its first owner. Its slug names the directory of its processes and never changes.',
  })
  @ApiCreatedResponse({ type: TeamDto, description: 'The team' })
  @ApiProblem('invalid', 'conflict', 'quota')
  async create(@CurrentActor() actor: Actor, @Body() body: CreateTeamDto): Promise<TeamDto> {
    return TeamDto.from(await this.teams.create(actor, { name: body.name, slug: body.slug }), 'owner');
  }

  @Get()
  @RequireAbility('read', 'Team')
  @Operation({
    id: 'listTeams',
    summary: 'List teams',
    description: 'The teams that the caller belongs to; all of them for platform administrators.',
  })
  @ApiOkResponse({ type: TeamPageDto, description: 'One page of teams, oldest first' })
  @ApiProblem('invalid')
  async list(@CurrentActor() actor: Actor, @Query() page: PageQuery): Promise<TeamPageDto> {
    return mapPage(await this.teams.list(actor, page), (team) => TeamDto.for(actor, team));
  }

  @Get(':teamId')
  @RequireAbility('read', 'Team')
  @Operation({ id: 'getTeam', summary: 'Show a team', description: 'A team that the caller may see.' })
  @ApiOkResponse({ type: TeamDto, description: 'The team' })
  @ApiProblem('invalid', 'not-found')
  async get(@CurrentActor() actor: Actor, @IdParam('teamId') teamId: string): Promise<TeamDto> {
    return TeamDto.for(actor, await this.teams.require(actor, teamId));
  }

  @Patch(':teamId')
  @RequireAbility('update', 'Team')
  @Operation({
    id: 'updateTeam',
    summary: 'Rename a team',
    description: 'Gives a team another name. Its slug stays, since directories are named after it.',
  })
  @ApiOkResponse({ type: TeamDto, description: 'The team' })
  @ApiProblem('invalid', 'not-found')
  async update(@CurrentActor() actor: Actor, @IdParam('teamId') teamId: string, @Body() body: UpdateTeamDto): Promise<TeamDto> {
    return TeamDto.for(actor, await this.teams.rename(actor, teamId, body.name));
  }

  @Delete(':teamId')
  @HttpCode(204)
  @RequireAbility('delete', 'Team')
  @Operation({
    id: 'deleteTeam',
    summary: 'Delete a team',
    description:
      'Deletes a team without projects, its members, roles and invitations; 409 names the projects that it still has. `confirm` must be its slug. A personal team goes with its user.',
  })
  @ApiNoContentResponse({ description: 'The team is gone' })
  @ApiProblem('invalid', 'not-found', 'conflict')
  async remove(@CurrentActor() actor: Actor, @IdParam('teamId') teamId: string, @Query() query: DeleteTeamQuery): Promise<void> {
    await this.ownership.delete(actor, teamId, query.confirm);
  }

  @Post(':teamId/transfer')
  @HttpCode(200)
  @RequireAbility('transfer', 'Team')
  @Operation({
    id: 'transferTeam',
    summary: 'Give a team to somebody',
    description:
      'Makes that user an owner and the caller an admin, at once. When a platform administrator does it, all owners before become admins.',
  })
  @ApiOkResponse({ type: TeamDto, description: 'The team, with the role that the caller has left' })
  @ApiProblem('invalid', 'not-found', 'conflict')
  async transfer(@CurrentActor() actor: Actor, @IdParam('teamId') teamId: string, @Body() body: TransferTeamDto): Promise<TeamDto> {
    const team = await this.ownership.transfer(actor, teamId, body.email);
    return TeamDto.from(team, roleIn(actor, teamId) === 'owner' ? 'admin' : (roleIn(actor, teamId) ?? null));
  }

  @Get(':teamId/members')
  @RequireAbility('read', 'Team')
  @Operation({ id: 'listTeamMembers', summary: 'List the members of a team', description: 'Everybody in the team sees everybody in it.' })
  @ApiOkResponse({ type: MemberPageDto, description: 'One page of members, in the order in which they joined' })
  @ApiProblem('invalid', 'not-found')
  async listMembers(@CurrentActor() actor: Actor, @IdParam('teamId') teamId: string, @Query() page: PageQuery): Promise<MemberPageDto> {
    return mapPage(await this.members.list(actor, teamId, page), (member) => MemberDto.from(member));
  }

  @Put(':teamId/members')
  @RequireAbility('manage-members', 'Team')
  @Operation({
    id: 'putTeamMember',
    summary: 'Add a member or change a role',
    description: 'Owners manage everybody, admins the roles below their own. The last owner stays.',
  })
  @ApiOkResponse({ type: MemberDto, description: 'The member' })
  @ApiProblem('invalid', 'not-found', 'conflict')
  async putMember(@CurrentActor() actor: Actor, @IdParam('teamId') teamId: string, @Body() body: PutMemberDto): Promise<MemberDto> {
    return MemberDto.from(await this.members.put(actor, teamId, body.email, body));
  }

  @Delete(':teamId/members/:userId')
  @HttpCode(204)
  // Whoever leaves needs no more than to be in it; a token is no reason to.
  @RequireAbility('read', 'Team', { sessionOnly: true })
  @Operation({
    id: 'removeTeamMember',
    summary: 'Remove a member',
    description: 'Takes a user out of a team; everybody may leave by themselves, except for the last owner.',
  })
  @ApiNoContentResponse({ description: 'The user is no member any more' })
  @ApiProblem('invalid', 'not-found', 'conflict')
  async removeMember(@CurrentActor() actor: Actor, @IdParam('teamId') teamId: string, @IdParam('userId') userId: string): Promise<void> {
    await this.members.remove(actor, teamId, userId);
  }
}
