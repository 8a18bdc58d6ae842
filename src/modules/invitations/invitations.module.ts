import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AccountsModule } from '../accounts/accounts.module.js';
import { TeamsModule } from '../teams/teams.module.js';
import { UserDirectoryModule } from '../users/user-directory.module.js';
import { UsersModule } from '../users/users.module.js';
import { AcceptingController } from './accepting.controller.js';
import { AcceptingService } from './accepting.service.js';
import { InvitationAcceptance } from './invitation-acceptance.js';
import { Invitation } from './invitation.entity.js';
import { InvitationMails } from './invitation-mails.js';
import { Invitations } from './invitations.js';
import { InvitationsController } from './invitations.controller.js';
import { InvitationsJobs } from './invitations.jobs.js';
import { InvitingService } from './inviting.service.js';

/** Invitations to teams and to the platform. */
@Module({
  imports: [TypeOrmModule.forFeature([Invitation]), AccountsModule, TeamsModule, UserDirectoryModule, UsersModule],
  controllers: [InvitationsController, AcceptingController],
  providers: [AcceptingService, InvitationAcceptance, InvitationMails, Invitations, InvitationsJobs, InvitingService],
  exports: [InvitationAcceptance],
})
export class InvitationsModule {}
