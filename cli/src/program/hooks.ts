import type { Command } from 'commander';
import { type Act, examples } from './shared.js';

const hooks = () => import('../commands/hooks.js');

/** Commands about deploy hooks. */
export function hookCommands(program: Command, act: Act): void {
  const group = program.command('hooks').description('addresses that deploy or restart a project for whoever signs with their secret');
  group
    .command('list')
    .description("list a project's hooks")
    .argument('[project]', 'default: the one of ./hithe.yaml')
    .action((project: string | undefined) => act(async (context) => (await hooks()).listHooks(context, project)));
  group
    .command('create')
    .description('make one; its secret is shown once')
    .argument('<project>')
    .argument('<name>')
    .option('--kind <kind>', 'what a delivery starts: deploy or restart', 'deploy')
    .addHelpText('after', examples('hithe hooks create guestbook github', 'hithe hooks create guestbook nightly --kind restart --json'))
    .action((project: string, name: string, options: { kind: string }) =>
      act(async (context) => (await hooks()).createHook(context, project, name, options)),
    );
  group
    .command('rotate')
    .description('replace the secret of one; from now on it acts with your right')
    .argument('<project>')
    .argument('<name>')
    .action((project: string, name: string) => act(async (context) => (await hooks()).rotateHook(context, project, name)));
  for (const [verb, enabled] of [
    ['enable', true],
    ['disable', false],
  ] as const) {
    group
      .command(verb)
      .description(enabled ? 'let one work again' : 'have one refuse every delivery')
      .argument('<project>')
      .argument('<name>')
      .action((project: string, name: string) => act(async (context) => (await hooks()).switchHook(context, project, name, enabled)));
  }
  group
    .command('delete')
    .description('delete one')
    .argument('<project>')
    .argument('<name>')
    .option('--confirm <name>', 'the name of the hook again, instead of being asked')
    .action((project: string, name: string, options: { confirm?: string }) =>
      act(async (context) => (await hooks()).deleteHook(context, project, name, options)),
    );
  group
    .command('deliveries')
    .description('show what came in at one, and what became of it')
    .argument('<project>')
    .argument('<name>')
    .addHelpText('after', examples('hithe hooks deliveries guestbook github'))
    .action((project: string, name: string) => act(async (context) => (await hooks()).listDeliveries(context, project, name)));
}
