import { Body, Controller, Delete, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { asSystem } from '../../common/request-context.js';
import { ApiProblem, Operation } from '../../http/api.decorators.js';
import { IdParam } from '../../http/id-param.js';
import { PageQuery, mapPage } from '../../http/pagination.js';
import type { Actor } from '../actor.js';
import { Authenticated, CurrentActor } from '../auth.decorators.js';
import { Reauthentication } from '../factors/reauthentication.js';
import { Identities } from './identities.js';
import { IdentityDto, IdentityPageDto, OidcCodeDto } from './oidc.dto.js';
import { OidcFlow } from './oidc-flow.js';

/** The caller's identities at the OIDC provider. */
@ApiTags('auth')
@Controller('me/identities')
@Authenticated()
export class IdentitiesController {
  constructor(
    private readonly identities: Identities,
    private readonly flow: OidcFlow,
    private readonly reauthentication: Reauthentication,
  ) {}

  @Get()
  @Operation({ id: 'listMyIdentities', summary: 'List my identities', description: 'The identities that open the account of the caller.' })
  @ApiOkResponse({ type: IdentityPageDto, description: 'One page of identities, oldest first' })
  @ApiProblem('invalid')
  async list(@CurrentActor() actor: Actor, @Query() page: PageQuery): Promise<IdentityPageDto> {
    return mapPage(await this.identities.list(actor, page), (identity) => IdentityDto.from(identity));
  }

  @Post()
  @Operation({
    id: 'linkIdentity',
    summary: 'Link an identity',
    description:
      'Takes the code of a log-in at the provider. From then on that identity opens the account. Needs a fresh proof, see `reauthenticate`.',
  })
  @ApiCreatedResponse({ type: IdentityDto, description: 'The identity' })
  @ApiProblem('invalid', 'forbidden', 'conflict')
  async link(@CurrentActor() actor: Actor, @Body() body: OidcCodeDto): Promise<IdentityDto> {
    await this.reauthentication.require(actor);
    const claims = await this.flow.redeem(body.code, body.codeVerifier, 'invalid');
    return IdentityDto.from(await this.identities.linkOwn(actor, claims));
  }

  @Delete(':identityId')
  @HttpCode(204)
  @Operation({
    id: 'unlinkIdentity',
    summary: 'Unlink an identity',
    description:
      'It opens the account no more, and what its groups gave is taken away. Needs a fresh proof, see `reauthenticate`; the last way to log in stays.',
  })
  @ApiNoContentResponse({ description: 'It is unlinked' })
  @ApiProblem('invalid', 'forbidden', 'not-found', 'conflict')
  async unlink(@CurrentActor() actor: Actor, @IdParam('identityId') id: string): Promise<void> {
    await this.reauthentication.require(actor);
    // The roles of groups go too, in whichever teams they are.
    await asSystem('identities', () => this.identities.unlink(actor, id));
  }
}
