import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { UserDirectoryModule } from '../../modules/users/user-directory.module.js';
import { Session } from '../sessions/session.entity.js';
import { FactorsJobs } from './factors.jobs.js';
import { FactorsModule } from './factors.module.js';
import { MyFactorsController } from './my-factors.controller.js';
import { MyFactors } from './my-factors.service.js';
import { Reauthentication } from './reauthentication.js';
import { SecondFactorLoginController } from './second-factor-login.controller.js';
import { SecondFactorLogin } from './second-factor-login.js';
import { UserFactorsController } from './user-factors.controller.js';

/** The routes of second factors: the end of a log-in, and what users do with their own. */
@Module({
  imports: [TypeOrmModule.forFeature([Session]), FactorsModule, UserDirectoryModule],
  controllers: [SecondFactorLoginController, MyFactorsController, UserFactorsController],
  providers: [SecondFactorLogin, MyFactors, Reauthentication, FactorsJobs],
  exports: [Reauthentication],
})
export class FactorsApiModule {}
