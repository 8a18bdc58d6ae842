import type { Command } from 'commander';
import { type Act, examples, wholeNumber } from './shared.js';

/** Commands that show projects, logs, deployments and ports. */
export function viewCommands(program: Command, act: Act): void {
  const optionalProject = ['[project]', 'default: the one of ./hithe.yaml'] as const;
  program
    .command('projects')
    .description("list the team's projects")
    .action(() => act(async (context) => (await import('../commands/status.js')).projects(context)));
  program
    .command('status')
    .description('show the components of a project: state, health, processes, addresses')
    .argument(...optionalProject)
    .action((name: string | undefined) => act(async (context) => (await import('../commands/status.js')).status(context, name)));
  program
    .command('health')
    .description('show whether a project is healthy; exit code 1 when it is not')
    .argument(...optionalProject)
    .action((name: string | undefined) => act(async (context) => (await import('../commands/status.js')).health(context, name)));
  program
    .command('logs')
    .description('show what the components write')
    .argument(...optionalProject)
    .argument('[component]', 'default: all')
    .option('-f, --follow', 'go on as lines come')
    .option('-n, --lines <number>', 'how many past lines', wholeNumber, 100)
    .option('-t, --timestamps', 'show when each line was written')
    .addHelpText('after', examples('hithe logs -f guestbook', 'hithe logs -n 20 guestbook web'))
    .action((name: string | undefined, component: string | undefined, options: { follow?: boolean; lines: number; timestamps?: boolean }) =>
      act(async (context) => (await import('../commands/logs.js')).logs(context, name, component, options)),
    );
  program
    .command('deployments')
    .description("list a project's deployments, or show one with its steps")
    .argument(...optionalProject)
    .option('--id <id>', 'show this one')
    .option('-f, --follow', 'follow it to its end')
    .action((name: string | undefined, options: { id?: string; follow?: boolean }) =>
      act(async (context) => (await import('../commands/deployments.js')).deployments(context, name, options)),
    );
  program
    .command('ports')
    .description('list what components can be made of, or show the versions and vars of one')
    .argument('[port]')
    .addHelpText('after', examples('hithe ports', 'hithe ports postgres'))
    .action((name: string | undefined) => act(async (context) => (await import('../commands/ports.js')).ports(context, name)));
  program
    .command('open')
    .description("print the address of a project's page, and open it where there is a desktop")
    .argument(...optionalProject)
    .argument('[component]')
    .action((name: string | undefined, component: string | undefined) =>
      act(async (context) => (await import('../commands/status.js')).open(context, name, component)),
    );
}
