import { Module } from '@nestjs/common';
import { NodesModule } from '../modules/nodes/nodes.module.js';
import { UsageModule } from '../modules/usage/usage.module.js';
import { LinkServer } from './link.server.js';

/** The control plane's end of the link to agents. */
@Module({ imports: [NodesModule, UsageModule], providers: [LinkServer] })
export class LinkModule {}
