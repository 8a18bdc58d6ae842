import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../auth/actor.js';
import { Authenticated, CurrentActor, RequireAbility } from '../../auth/auth.decorators.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { IdParam } from '../../http/id-param.js';
import { PageQuery, mapPage } from '../../http/pagination.js';
import { ChangeUserDto, CreateUserDto } from './dto/create-user.dto.js';
import { CreatedUserDto, UserDto, UserPageDto } from './dto/user.dto.js';
import { UserAdministration } from './user-administration.service.js';
import { UsersService } from './users.service.js';

/** Accounts of people. */
@ApiTags('users')
@Controller('users')
export class UsersController {
  constructor(
    private readonly users: UsersService,
    private readonly administration: UserAdministration,
  ) {}

  @Post()
  @RequireAbility('create', 'User')
  @Operation({
    id: 'createUser',
    summary: 'Create a user',
    description:
      'Opens an account with a personal team. Without a password one is generated and shown in the answer, once. Platform administrators only.',
  })
  @ApiCreatedResponse({ type: CreatedUserDto, description: 'The user, and the generated password if there is one' })
  @ApiProblem('invalid', 'conflict')
  async create(@Body() body: CreateUserDto): Promise<CreatedUserDto> {
    return CreatedUserDto.of(await this.users.open({ email: body.email, password: body.password }));
  }

  @Get()
  @RequireAbility('read', 'User')
  @Operation({
    id: 'listUsers',
    summary: 'List users',
    description: 'All users for platform administrators; for everybody else only themselves.',
  })
  @ApiOkResponse({ type: UserPageDto, description: 'One page of users, oldest first' })
  @ApiProblem('invalid')
  async list(@CurrentActor() actor: Actor, @Query() page: PageQuery): Promise<UserPageDto> {
    return mapPage(await this.users.list(actor, page), (user) => UserDto.from(user));
  }

  @Get(':userId')
  @Authenticated({ token: 'read' })
  @Operation({
    id: 'getUser',
    summary: 'Show a user',
    description: 'A user that the caller may see: themselves, or anybody for platform administrators.',
  })
  @ApiOkResponse({ type: UserDto, description: 'The user' })
  @ApiProblem('invalid', 'not-found')
  async get(@CurrentActor() actor: Actor, @IdParam('userId') userId: string): Promise<UserDto> {
    return UserDto.from(await this.users.get(actor, userId));
  }

  @Patch(':userId')
  @RequireAbility('update', 'User')
  @Operation({
    id: 'changeUser',
    summary: 'Change a user',
    description:
      'Disables or enables an account, and gives or takes the administration of the platform. A disabled user is out at once. Platform administrators only; one of them always remains.',
  })
  @ApiOkResponse({ type: UserDto, description: 'The user' })
  @ApiProblem('invalid', 'not-found', 'conflict')
  async change(@CurrentActor() actor: Actor, @IdParam('userId') userId: string, @Body() body: ChangeUserDto): Promise<UserDto> {
    return UserDto.from(await this.administration.change(actor, userId, { disabled: body.disabled, platformAdmin: body.platformAdmin }));
  }

  @Delete(':userId')
  @HttpCode(204)
  @RequireAbility('delete', 'User')
  @Operation({
    id: 'deleteUser',
    summary: 'Delete a user',
    description:
      'Deletes the account, its sessions, API tokens and personal team, which must be empty. What the user did stays in the audit log. Platform administrators only.',
  })
  @ApiNoContentResponse({ description: 'The user is gone' })
  @ApiProblem('invalid', 'not-found', 'conflict')
  async remove(@CurrentActor() actor: Actor, @IdParam('userId') userId: string): Promise<void> {
    await this.administration.remove(actor, userId);
  }
}
