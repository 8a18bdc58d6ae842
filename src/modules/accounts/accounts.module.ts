import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { FactorsModule } from '../../auth/factors/factors.module.js';
import { UserDirectoryModule } from '../users/user-directory.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccountsController } from './accounts.controller.js';
import { AccountsJobs } from './accounts.jobs.js';
import { MyAccountController } from './my-account.controller.js';
import { MyPasswordService } from './my-password.service.js';
import { MySessionsService } from './my-sessions.service.js';
import { NewPasswords } from './new-passwords.js';
import { PasswordReset } from './password-reset.entity.js';
import { PasswordResetLinks, PasswordResetService } from './password-reset.service.js';
import { PasswordResets } from './password-resets.js';
import { SignUp } from './sign-up.entity.js';
import { SignUpService, SignUps } from './sign-up.service.js';
import { UserAccessController } from './user-access.controller.js';

/** Sign-up, passwords and sessions: what people do with their own accounts. */
@Module({
  imports: [TypeOrmModule.forFeature([PasswordReset, SignUp]), FactorsModule, UserDirectoryModule, UsersModule],
  controllers: [AccountsController, MyAccountController, UserAccessController],
  providers: [
    AccountsJobs,
    MyPasswordService,
    MySessionsService,
    NewPasswords,
    PasswordResetLinks,
    PasswordResetService,
    PasswordResets,
    SignUpService,
    SignUps,
  ],
  exports: [NewPasswords],
})
export class AccountsModule {}
