import { type DynamicModule, Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';
import { PassportModule } from '@nestjs/passport';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TeamsModule } from '../modules/teams/teams.module.js';
import { UserDirectoryModule } from '../modules/users/user-directory.module.js';
import { AbilityFactory, type Policy } from './ability.js';
import { JwtAuthGuard, PolicyGuard } from './access.guard.js';
import { FactorsModule } from './factors/factors.module.js';
import { AccessTokens } from './keys/access-tokens.js';
import { SigningKey } from './keys/signing-key.entity.js';
import { SigningKeysController } from './keys/signing-keys.controller.js';
import { VerifiedTokens } from './keys/verified-tokens.js';
import { SigningKeys } from './keys/signing-keys.js';
import { ActorLoader } from './actor-loader.js';
import { Principals } from './principals.js';
import { Reauthorisation } from './reauthorisation.js';
import { ApiToken } from './api-tokens/api-token.entity.js';
import { ApiTokenAuthenticator } from './api-tokens/api-token-authenticator.js';
import { ApiTokenUse } from './api-tokens/api-token-use.js';
import { ApiTokens } from './api-tokens/api-tokens.js';
import { AuthController } from './auth.controller.js';
import { AuthJobs } from './auth.jobs.js';
import { AuthService } from './auth.service.js';
import { JwtStrategy } from './jwt.strategy.js';
import { Attempt } from './throttle/attempt.entity.js';
import { Throttle } from './throttle/throttle.js';
import { PasswordHasher } from './passwords/password-hasher.js';
import { PasswordLogin } from './passwords/password-login.js';
import { RefreshToken, Session } from './sessions/session.entity.js';
import { HiddenRows } from './hidden-rows.js';
import { PermissionsController } from './permissions/permissions.controller.js';
import { SessionActors } from './session-actors.js';
import { Sessions } from './sessions/sessions.js';

/** Who may do what. Its guards are global and deny by default; `policies` are those of all modules. */
@Global()
@Module({})
export class AuthModule {
  static with(policies: readonly Policy[]): DynamicModule {
    return {
      module: AuthModule,
      imports: [
        PassportModule,
        JwtModule.register({}),
        TypeOrmModule.forFeature([ApiToken, Attempt, RefreshToken, Session, SigningKey]),
        FactorsModule,
        UserDirectoryModule,
        TeamsModule,
      ],
      controllers: [AuthController, PermissionsController, SigningKeysController],
      providers: [
        { provide: AbilityFactory, useValue: new AbilityFactory(policies) },
        { provide: APP_GUARD, useClass: JwtAuthGuard },
        { provide: APP_GUARD, useClass: PolicyGuard },
        AccessTokens,
        HiddenRows,
        ActorLoader,
        Principals,
        Reauthorisation,
        ApiTokenAuthenticator,
        ApiTokenUse,
        ApiTokens,
        AuthJobs,
        AuthService,
        JwtStrategy,
        Throttle,
        PasswordHasher,
        PasswordLogin,
        Sessions,
        SigningKeys,
        SessionActors,
        VerifiedTokens,
      ],
      exports: [
        AbilityFactory,
        ActorLoader,
        ApiTokens,
        AuthService,
        PasswordHasher,
        Principals,
        Reauthorisation,
        Sessions,
        SigningKeys,
        Throttle,
      ],
    };
  }
}
