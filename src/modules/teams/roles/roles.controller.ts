import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../../auth/actor.js';
import { Authenticated, CurrentActor, RequireAbility } from '../../../auth/auth.decorators.js';
import { ApiProblem, Operation } from '../../../http/api.decorators.js';
import { IdParam } from '../../../http/id-param.js';
import { PageQuery, mapPage } from '../../../http/pagination.js';
import { CustomRolesService } from './custom-roles.service.js';
import { RoleTableDto } from './role-table.dto.js';
import { CreateRoleDto, RoleDto, RolePageDto, UpdateRoleDto } from './role.dto.js';

/** Built-in roles, and those that teams make themselves. */
@ApiTags('roles')
@Controller()
export class RolesController {
  constructor(private readonly roles: CustomRolesService) {}

  @Get('roles')
  @Authenticated({ token: 'any' })
  @Operation({
    id: 'getRoleTable',
    summary: 'Show the role table',
    description: 'What each built-in role may do; the same table as in the documentation.',
  })
  @ApiOkResponse({ type: RoleTableDto, description: 'The table' })
  table(): RoleTableDto {
    return RoleTableDto.current();
  }

  @Get('teams/:teamId/roles')
  @RequireAbility('read', 'Team')
  @Operation({ id: 'listTeamRoles', summary: 'List custom roles', description: 'The roles that the team made itself.' })
  @ApiOkResponse({ type: RolePageDto, description: 'One page of roles, oldest first' })
  @ApiProblem('invalid', 'not-found')
  async list(@CurrentActor() actor: Actor, @IdParam('teamId') teamId: string, @Query() page: PageQuery): Promise<RolePageDto> {
    return mapPage(await this.roles.list(actor, teamId, page), (role) => RoleDto.from(role));
  }

  @Post('teams/:teamId/roles')
  @RequireAbility('manage-roles', 'Team')
  @Operation({
    id: 'createTeamRole',
    summary: 'Make a role',
    description:
      'A role of this team alone, out of CASL rules. It may hold at most what its author holds in the team, and nothing of the platform’s; a refusal names each rule that goes beyond.',
  })
  @ApiCreatedResponse({ type: RoleDto, description: 'The role' })
  @ApiProblem('invalid', 'not-found', 'conflict')
  async create(@CurrentActor() actor: Actor, @IdParam('teamId') teamId: string, @Body() body: CreateRoleDto): Promise<RoleDto> {
    return RoleDto.from(
      await this.roles.create(actor, teamId, { name: body.name, description: body.description ?? '', rules: body.rules }),
    );
  }

  @Get('teams/:teamId/roles/:roleId')
  @RequireAbility('read', 'Team')
  @Operation({ id: 'getTeamRole', summary: 'Show a role', description: 'A custom role of the team with its rules.' })
  @ApiOkResponse({ type: RoleDto, description: 'The role' })
  @ApiProblem('invalid', 'not-found')
  async get(@CurrentActor() actor: Actor, @IdParam('teamId') teamId: string, @IdParam('roleId') roleId: string): Promise<RoleDto> {
    return RoleDto.from(await this.roles.get(actor, teamId, roleId));
  }

  @Patch('teams/:teamId/roles/:roleId')
  @RequireAbility('manage-roles', 'Team')
  @Operation({
    id: 'updateTeamRole',
    summary: 'Change a role',
    description:
      'Holds for everybody who has the role from their next request on. The author must hold the old rules as well as the new ones.',
  })
  @ApiOkResponse({ type: RoleDto, description: 'The role' })
  @ApiProblem('invalid', 'not-found', 'conflict')
  async update(
    @CurrentActor() actor: Actor,
    @IdParam('teamId') teamId: string,
    @IdParam('roleId') roleId: string,
    @Body() body: UpdateRoleDto,
  ): Promise<RoleDto> {
    return RoleDto.from(
      await this.roles.update(actor, teamId, roleId, { name: body.name, description: body.description, rules: body.rules }),
    );
  }

  @Delete('teams/:teamId/roles/:roleId')
  @HttpCode(204)
  @RequireAbility('manage-roles', 'Team')
  @Operation({
    id: 'deleteTeamRole',
    summary: 'Delete a role',
    description: 'Deletes a role that nobody has; 409 names those who have it.',
  })
  @ApiNoContentResponse({ description: 'The role is gone' })
  @ApiProblem('invalid', 'not-found', 'conflict')
  async remove(@CurrentActor() actor: Actor, @IdParam('teamId') teamId: string, @IdParam('roleId') roleId: string): Promise<void> {
    await this.roles.remove(actor, teamId, roleId);
  }
}
