import { Module } from '@nestjs/common';
import { NodesModule } from '../nodes/nodes.module.js';
import { PortsModule } from '../ports/ports.module.js';
import { ProjectsModule } from '../projects/projects.module.js';
import { SecretsModule } from '../secrets/secrets.module.js';
import { TeamsModule } from '../teams/teams.module.js';
import { UserDirectoryModule } from '../users/user-directory.module.js';
import { VariableChanges } from './variable-changes.js';
import { VariableListing } from './variable-listing.js';
import { VariableReveals } from './variable-reveals.js';
import { VariableRules } from './variable-rules.js';
import { VariablesController } from './variables.controller.js';
import { VariablesService } from './variables.service.js';

/** Variables that people set apart from hithe.yaml: the API over the stored ones. */
@Module({
  imports: [ProjectsModule, SecretsModule, PortsModule, NodesModule, TeamsModule, UserDirectoryModule],
  controllers: [VariablesController],
  providers: [VariablesService, VariableChanges, VariableListing, VariableReveals, VariableRules],
})
export class VariablesModule {}
