import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { User } from './user.entity.js';
import { UserAccounts } from './user-accounts.js';
import { UserDirectory } from './user-directory.js';

/** Users as other modules may know them; apart from `UsersModule`, which needs teams, which need this. */
@Module({ imports: [TypeOrmModule.forFeature([User])], providers: [UserDirectory, UserAccounts], exports: [UserDirectory, UserAccounts] })
export class UserDirectoryModule {}
