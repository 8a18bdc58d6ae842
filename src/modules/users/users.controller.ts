import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Actor } from '../../auth/actor.js';
import { Authenticated, CurrentActor, RequireAbility } from '../../auth/auth.decorators.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { IdParam } from '../../http/id-param.js';
import { PageQuery, mapPage } from '../../http/pagination.js';
import { CreateUserDto } from './dto/create-user.dto.js';
import { CreatedUserDto, UserDto, UserPageDto } from './dto/user.dto.js';
import { UsersService } from './users.service.js';

/** Accounts of people. */
@ApiTags('users')
@Controller('users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

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
}
