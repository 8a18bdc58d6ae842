import { type Command, InvalidArgumentError } from 'commander';
import { type Act, defaultAction, examples } from './shared.js';

type Limit = number | 'unlimited';

/** Limits as options. */
export interface LimitOptions {
  projects?: Limit;
  components?: Limit;
  memory?: Limit;
  cpu?: Limit;
  disk?: Limit;
  listenPorts?: Limit;
}

const UNITS = ['K', 'M', 'G', 'T'];

function whole(text: string): Limit {
  if (text === 'unlimited') return text;
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number, or "unlimited".');
}

function cores(text: string): Limit {
  if (text === 'unlimited') return text;
  if (/^\d{1,6}(?:\.\d{1,3})?$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a number of cores such as 4 or 0.5, or "unlimited".');
}

function amount(text: string): Limit {
  if (text === 'unlimited') return text;
  const [, number, unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)([KMGT])B?$/i.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError('It must be an amount such as 512M, 8G or 1.5T, or "unlimited".');
  return Math.round(Number(number) * 1024 ** (UNITS.indexOf(unit.toUpperCase()) + 1));
}

function withLimits(command: Command): Command {
  return command
    .option('--projects <number>', 'projects', whole)
    .option('--components <number>', 'components of all projects', whole)
    .option('--memory <amount>', 'memory that all components may ask for, e.g. 8G', amount)
    .option('--cpu <cores>', 'CPU cores that all components may ask for, e.g. 4.5', cores)
    .option('--disk <amount>', 'stored data, e.g. 50G', amount)
    .option('--listen-ports <number>', 'network ports that components listen on', whole);
}

/** Commands about what teams may have and what they used. */
export function quotaCommands(program: Command, act: Act): void {
  const quota = program.command('quota').description('what a team may have, and has');
  defaultAction(quota, () => act(async (context) => (await import('../commands/quotas.js')).showQuota(context)));
  quota
    .command('show')
    .description('show the limits of the chosen team, what it uses and what it plans')
    .addHelpText('after', examples('hithe quota', 'hithe quota show --team shop --json'))
    .action(() => act(async (context) => (await import('../commands/quotas.js')).showQuota(context)));
  withLimits(quota.command('set'))
    .description('set limits of a team; the others stay (for platform admins)')
    .addHelpText('after', examples('hithe quota set --team shop --projects 20 --memory 8G', 'hithe quota set --team shop --disk unlimited'))
    .action((limits: LimitOptions) => act(async (context) => (await import('../commands/quotas.js')).setQuota(context, limits)));
  quota
    .command('unset')
    .description("take limits of a team away, so that the platform's defaults hold (for platform admins)")
    .argument('[resources...]', 'projects, components, memory, cpu, disk, listen-ports; all when absent')
    .addHelpText('after', examples('hithe quota unset memory --team shop', 'hithe quota unset --team shop'))
    .action((resources: string[]) => act(async (context) => (await import('../commands/quotas.js')).unsetQuota(context, resources)));
  withLimits(quota.command('defaults'))
    .description('show, or with options set, the limits of teams that have none of their own (for platform admins)')
    .option('--unset <resources>', 'take defaults away: names separated by ",", or "all"')
    .addHelpText(
      'after',
      examples('hithe quota defaults', 'hithe quota defaults --projects 10 --disk 20G', 'hithe quota defaults --unset memory,cpu'),
    )
    .action((options: LimitOptions & { unset?: string }) =>
      act(async (context) => (await import('../commands/quotas.js')).quotaDefaults(context, options)),
    );
  program
    .command('usage')
    .description('show what a team used: processor time, memory, stored data')
    .option('--from <day>', 'first day, YYYY-MM-DD (UTC); default: the first of the month')
    .option('--to <day>', 'last day; default: today')
    .option('--by <what>', 'day, project or component; with --all-teams also team')
    .option('--all-teams', 'of the whole platform (for platform admins)')
    .option('--csv', 'one line for each component and day, as CSV')
    .addHelpText(
      'after',
      examples(
        'hithe usage --by project',
        'hithe usage --from 2026-01-01 --to 2026-01-31 --csv > january.csv',
        'hithe usage --all-teams --by team',
      ),
    )
    .action((options: { from?: string; to?: string; by?: string; allTeams?: boolean; csv?: boolean }) =>
      act(async (context) => (await import('../commands/usage.js')).usage(context, options)),
    );
}
