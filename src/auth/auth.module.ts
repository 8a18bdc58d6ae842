import { type DynamicModule, Global, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';
import { PassportModule } from '@nestjs/passport';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TeamsModule } from '../modules/teams/teams.module.js';
import { UserDirectoryModule } from '../modules/users/user-directory.module.js';
import { AbilityFactory, type Policy } from './ability.js';
import { JwtAuthGuard, PolicyGuard } from './access.guard.js';
import { AccessTokens } from './keys/access-tokens.js';
import { ActorLoader } from './actor-loader.js';
import { AuthController } from './auth.controller.js';
import { AuthJobs } from './auth.jobs.js';
import { AuthService } from './auth.service.js';
import { JwtStrategy } from './jwt.strategy.js';
import { Throttle } from './throttle/throttle.js';
import { PasswordHasher } from './passwords/password-hasher.js';
import { RefreshToken, Session } from './sessions/session.entity.js';
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
        TypeOrmModule.forFeature([Session, RefreshToken]),
        UserDirectoryModule,
        TeamsModule,
      ],
      controllers: [AuthController],
      providers: [
        { provide: AbilityFactory, useValue: new AbilityFactory(policies) },
        { provide: APP_GUARD, useClass: JwtAuthGuard },
        { provide: APP_GUARD, useClass: PolicyGuard },
        AccessTokens,
        ActorLoader,
        AuthJobs,
        AuthService,
        JwtStrategy,
        Throttle,
        PasswordHasher,
        Sessions,
      ],
      exports: [AbilityFactory, ActorLoader, PasswordHasher, Sessions],
    };
  }
}
