import { Injectable } from '@nestjs/common';
import { type ComponentHealth, NodeHealth } from '../health/node-health.js';
import type { Node } from './node.entity.js';
import { isConnected, NodesService } from './nodes.service.js';

/** The truth about agents, from what they said last and when. */
@Injectable()
export class AgentsHealth extends NodeHealth {
  constructor(private readonly nodes: NodesService) {
    super();
  }

  override async agent(): Promise<ComponentHealth> {
    const nodes = await this.nodes.all();
    if (nodes.length === 0)
      return { ok: false, message: 'No node is registered.', fix: 'Start Hithe with `npm start`, which registers this machine.' };
    const away = nodes.filter((node) => !isConnected(node));
    if (away.length === 0)
      return { ok: true, message: nodes.length === 1 ? 'The agent is connected.' : `All ${nodes.length} agents are connected.` };
    const names = away.map((node) => node.name).join(', ');
    return {
      ok: false,
      message: `No agent is connected for: ${names}.`,
      fix: 'Start the agent; its log says why it cannot connect. Components keep running without it.',
    };
  }

  override async isolation(): Promise<ComponentHealth> {
    const nodes = await this.nodes.all();
    const unknown = nodes.filter((node) => node.facts === null);
    if (nodes.length === 0 || unknown.length > 0)
      return { ok: false, message: 'No agent has told yet whether its isolation holds.', fix: 'Start the agent.' };
    const broken = nodes.flatMap((node) => faultsOf(node));
    if (broken.length > 0)
      return {
        ok: false,
        message: broken.join('; '),
        fix: 'No tenant code runs there until it is mended; docs/security.md says what each check needs.',
      };
    const modes = [...new Set(nodes.map((node) => node.facts?.isolation.mode))].join(', ');
    return { ok: true, message: `Every wall stands (${modes}).` };
  }
}

function faultsOf(node: Node): string[] {
  const isolation = node.facts?.isolation;
  if (isolation === undefined) return [];
  if (isolation.mode === 'none') return [`${node.name}: isolation is switched off by HITHE_ISOLATION=none`];
  if (isolation.ok) return [];
  const failed = isolation.checks.filter((check) => !check.ok);
  return failed.length === 0
    ? [`${node.name}: the canary was not green`]
    : failed.map((check) => `${node.name}: ${check.name}: ${check.message}`);
}
