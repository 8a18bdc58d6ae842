import { Controller, Delete, HttpCode } from '@nestjs/common';
import { ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { IdParam } from '../../http/id-param.js';
import { UserDirectory } from '../../modules/users/user-directory.js';
import { authorize } from '../ability.js';
import type { Actor } from '../actor.js';
import { CurrentActor, RequireAbility } from '../auth.decorators.js';
import { MyFactors } from './my-factors.service.js';

/** Second factors of other users, for when somebody has lost theirs. */
@ApiTags('users')
@Controller('users')
export class UserFactorsController {
  constructor(
    private readonly users: UserDirectory,
    private readonly factors: MyFactors,
  ) {}

  @Delete(':userId/second-factors')
  @HttpCode(204)
  @RequireAbility('update', 'User')
  @Operation({
    id: 'resetSecondFactors',
    summary: 'Take away the second factors of a user',
    description:
      'For somebody who has lost devices and recovery codes; make sure that it is them who asks. Ends all their sessions. Platform administrators only.',
  })
  @ApiNoContentResponse({ description: 'The user logs in with the password alone, and may set up new factors' })
  @ApiProblem('invalid', 'not-found')
  async reset(@CurrentActor() actor: Actor, @IdParam('userId') userId: string): Promise<void> {
    const user = authorize(actor, 'update', 'User', await this.users.find(userId), { what: 'user', id: userId });
    await this.factors.reset({ id: user.id, email: user.email });
  }
}
