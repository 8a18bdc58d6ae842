import type { Command } from 'commander';
import { type Act, defaultAction, examples } from './shared.js';

const COMPONENT = [
  '-c, --component <component>',
  'of one component; default: of the project, for all components that run your code',
] as const;
const PROJECT = ['-p, --project <project>', 'the project (default: the one of ./hithe.yaml)'] as const;

type Options = Record<string, string | boolean | undefined>;

/** Commands about variables and secrets, and about the key that wraps them. */
export function secretCommands(program: Command, act: Act): void {
  const secrets = program.command('secrets').description('variables and secrets of projects, set apart from hithe.yaml');
  const load = () => import('../commands/secrets.js');
  const scoped = (command: Command): Command => command.option(...PROJECT).option(...COMPONENT);
  defaultAction(secrets, () => act(async (context) => (await load()).listVariables(context, {})));
  scoped(secrets.command('list'))
    .description('list what is set; with --component everything that it gets, and where from')
    .addHelpText('after', examples('hithe secrets list', 'hithe secrets list -p guestbook -c web'))
    .action((options: Options) => act(async (context) => (await load()).listVariables(context, options)));
  scoped(secrets.command('set'))
    .description('set secrets; the value comes from the terminal or the standard input, never from the command line')
    .argument('<names...>', 'NAME to be asked for it, NAME=- for the standard input; NAME=VALUE with --plain or --reference only')
    .option('--plain', 'not secret: shown to whoever may see the project')
    .option('--reference', 'the value is the address of a secret of a vault: vault:PATH#KEY')
    .option('--from-file <file>', 'the value is the content of this file')
    .option('--deploy', 'deploy at once; otherwise it takes effect with the next deploy')
    .addHelpText(
      'after',
      examples(
        'hithe secrets set API_KEY',
        'pass show shop/api-key | hithe secrets set API_KEY=- --component web',
        'hithe secrets set TLS_KEY --from-file key.pem --deploy',
        'hithe secrets set LEVEL=debug --plain',
        'hithe secrets set API_KEY=vault:kv/hithe/acme/shop#api_key --reference',
      ),
    )
    .action((names: string[], options: Options) => act(async (context) => (await load()).setVariables(context, names, options)));
  scoped(secrets.command('unset'))
    .description('remove variables')
    .argument('<names...>')
    .option('--deploy', 'deploy at once; otherwise it takes effect with the next deploy')
    .addHelpText('after', examples('hithe secrets unset API_KEY', 'hithe secrets unset LEVEL -c web --deploy'))
    .action((names: string[], options: Options) => act(async (context) => (await load()).unsetVariables(context, names, options)));
  scoped(secrets.command('history'))
    .description('list the versions of a variable: who set it and when')
    .argument('<name>')
    .addHelpText('after', examples('hithe secrets history API_KEY'))
    .action((name: string, options: Options) => act(async (context) => (await load()).listVersions(context, name, options)));
  scoped(secrets.command('reveal'))
    .description('show secrets in clear; each time is in the audit log')
    .argument('[names...]', 'default: all secrets')
    .addHelpText('after', examples('hithe secrets reveal API_KEY', 'hithe secrets reveal -c db --json'))
    .action((names: string[], options: Options) => act(async (context) => (await load()).revealVariables(context, names, options)));
  fileCommands(secrets, act, scoped);
  keyCommands(secrets, act);
}

function fileCommands(secrets: Command, act: Act, scoped: (command: Command) => Command): void {
  const load = () => import('../commands/secret-files.js');
  scoped(secrets.command('import'))
    .description('set what a .env file names')
    .argument('<file>', 'the file; - for the standard input')
    .option('--dry-run', 'only show what would change')
    .option('--plain', 'those that are new are not secret')
    .option('--prune', 'remove whatever the file does not name')
    .option('--deploy', 'deploy at once; otherwise it takes effect with the next deploy')
    .addHelpText('after', examples('hithe secrets import .env --dry-run', 'hithe secrets import production.env -c web --deploy'))
    .action((file: string, options: Options) => act(async (context) => (await load()).importVariables(context, file, options)));
  scoped(secrets.command('export'))
    .description('write what is set as a .env file, secrets in clear; each time is in the audit log')
    .option('-o, --output <file>', 'a new file that only you can read; default: the standard output')
    .addHelpText('after', examples('hithe secrets export -o production.env', 'hithe secrets export -c web'))
    .action((options: Options) => act(async (context) => (await load()).exportVariables(context, options)));
}

function keyCommands(secrets: Command, act: Act): void {
  const load = () => import('../commands/platform-keys.js');
  secrets
    .command('keys')
    .description('list the platform keys, which wrap every secret (for platform admins)')
    .action(() => act(async (context) => (await load()).listPlatformKeys(context)));
  secrets
    .command('rotate-key')
    .description('wrap every secret by a new platform key; all stay readable meanwhile (for platform admins)')
    .option('--no-wait', 'return while old keys still wrap something')
    .option('--retire', 'delete the old keys, once they wrap nothing')
    .option('--confirm <word>', 'with --retire: the word retire, instead of being asked')
    .addHelpText('after', examples('hithe secrets rotate-key', 'hithe secrets rotate-key --retire'))
    .action((options: Options) => act(async (context) => (await load()).rotatePlatformKey(context, options)));
}
