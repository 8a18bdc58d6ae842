import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { User } from './user.entity.js';
import { UserDirectory } from './user-directory.js';

/** Users as other modules may know them; apart from `UsersModule`, which needs teams, which need this. */
@Module({ imports: [TypeOrmModule.forFeature([User])], providers: [UserDirectory], exports: [UserDirectory] })
export class UserDirectoryModule {}
