import type { Command } from 'commander';
import { type Act, examples } from './shared.js';

/** Commands that apply, plan, deploy and delete projects. */
export function projectCommands(program: Command, act: Act): void {
  program
    .command('apply')
    .description('make a hithe.yaml the specification of its project; deploys nothing')
    .option('-f, --file <file>', 'the project file or its directory (default: ./hithe.yaml)')
    .addHelpText('after', examples('hithe apply', 'hithe apply -f examples/node-red/hithe.yaml'))
    .action((options: { file?: string }) => act(async (context) => (await import('../commands/apply.js')).apply(context, options)));
  program
    .command('plan')
    .description('show what a deploy would change, and check that it can; changes nothing')
    .argument('[project]', 'an applied project, instead of a file')
    .option('-f, --file <file>', 'the project file or its directory (default: ./hithe.yaml)')
    .addHelpText('after', examples('hithe plan', 'hithe plan guestbook --json'))
    .action((name: string | undefined, options: { file?: string }) =>
      act(async (context) => (await import('../commands/apply.js')).plan(context, name, options)),
    );
  program
    .command('deploy')
    .description('bring a project to its specification; with a file (or ./hithe.yaml), apply that first')
    .argument('[project]', 'an applied project, instead of a file')
    .option('-f, --file <file>', 'the project file or its directory (default: ./hithe.yaml)')
    .option('--no-wait', 'return as soon as the deployment has begun')
    .addHelpText(
      'after',
      examples('hithe deploy', 'hithe deploy -f examples/guestbook/hithe.yaml', 'hithe deploy guestbook --no-wait --json'),
    )
    .action((name: string | undefined, options: { file?: string; wait?: boolean }) =>
      act(async (context) => (await import('../commands/deploy.js')).deploy(context, name, options)),
    );
  program
    .command('delete')
    .description('stop a project and remove it; its data is kept unless --purge')
    .argument('<project>')
    .option('--confirm <name>', "the project's name again, instead of being asked")
    .option('--purge', 'delete its data too')
    .option('--no-wait', 'return as soon as the deletion has begun')
    .addHelpText('after', examples('hithe delete guestbook', 'hithe delete guestbook --confirm guestbook --purge'))
    .action((name: string, options: { confirm?: string; purge?: boolean; wait?: boolean }) =>
      act(async (context) => (await import('../commands/deploy.js')).remove(context, name, options)),
    );
}

/** Commands that start, stop and restart. */
export function lifecycleCommands(program: Command, act: Act): void {
  for (const kind of ['start', 'stop', 'restart'] as const) {
    program
      .command(kind)
      .description(`${kind} a project, or some of its components`)
      .argument('[project]', 'default: the one of ./hithe.yaml')
      .argument('[components...]', 'default: all')
      .option('--no-wait', 'return as soon as it has begun')
      .addHelpText('after', examples(`hithe ${kind} guestbook`, `hithe ${kind} guestbook cache`))
      .action((name: string | undefined, components: string[], options: { wait?: boolean }) =>
        act(async (context) => (await import('../commands/deploy.js')).lifecycle(context, kind, name, components, options)),
      );
  }
}
