import type { Command } from 'commander';
import type { AuditFilterOptions, AuditListOptions } from '../commands/audit.js';
import type { ExportOptions, VerifyOptions } from '../commands/audit-proof.js';
import { type Act, examples, wholeNumber } from './shared.js';

const events = () => import('../commands/audit.js');
const proofs = () => import('../commands/audit-proof.js');

/** Commands about the audit log. */
export function auditCommands(program: Command, act: Act): void {
  const audit = program.command('audit').description('what was done, by whom, and the proof that nothing is missing');
  const list = filters(audit.command('list', { isDefault: true }).description('list the newest events; --team and --project narrow them'))
    .option('-n, --lines <number>', 'how many', wholeNumber, 50)
    .option('-f, --follow', 'go on as events come');
  list
    .addHelpText(
      'after',
      examples(
        'hithe audit',
        'hithe audit --user dana@example.org --since 7d',
        'hithe audit --outcome denied --team shop',
        'hithe audit -f --action project.',
      ),
    )
    .action((options: AuditListOptions) => act(async (context) => (await events()).listEvents(context, options)));
  filters(audit.command('follow').description('show events as they come'))
    .addHelpText('after', examples('hithe audit follow --outcome denied'))
    .action((options: AuditFilterOptions) => act(async (context) => (await events()).follow(context, options)));
  audit
    .command('show')
    .description('show one event, with what was before and after it')
    .argument('<id>')
    .addHelpText('after', examples('hithe audit show 0199a7c2-5c3e-7b2a-9d53-0a4a1f0c7c55'))
    .action((id: string) => act(async (context) => (await events()).showEvent(context, id)));
  proofCommands(audit, act);
  archiveCommands(audit, act);
}

function proofCommands(audit: Command, act: Act): void {
  filters(audit.command('export').description('write events to a file, oldest first'))
    .option('--format <format>', 'jsonl or csv', 'jsonl')
    .option('--chain', 'also the places, without content, of the events in between: for `verify --file`')
    .option('--out <file>', 'instead of the standard output')
    .addHelpText(
      'after',
      examples('hithe audit export --format csv --since 2026-01-01 --out audit.csv', 'hithe audit export --chain --out audit.jsonl'),
    )
    .action((options: ExportOptions) => act(async (context) => (await proofs()).exportEvents(context, options)));
  audit
    .command('verify')
    .description('prove that no event was edited or deleted; exit code 1 when one was')
    .option('--heads <file>', 'signed heads that you have kept: heads.jsonl, or the file of a stream')
    .option('--archives', 'read the files of archived segments too')
    .option('--file <file...>', 'check these exports or archives, in their order, without asking a server')
    .option('--key <file>', 'with --file and --heads: the public key, from `hithe audit key`')
    .option('--partial', 'with --file: the export was filtered, so events may be missing between others')
    .addHelpText(
      'after',
      examples(
        'hithe audit verify',
        'hithe audit verify --heads kept/heads.jsonl',
        'hithe audit verify --file audit.jsonl --heads heads.jsonl --key audit.pub',
      ),
    )
    .action((options: VerifyOptions) => act(async (context) => (await proofs()).verifyLog(context, options)));
  audit
    .command('key')
    .description('print the public keys that heads and archives are signed with')
    .addHelpText('after', examples('hithe audit key > audit.pub'))
    .action(() => act(async (context) => (await proofs()).showKeys(context)));
}

function archiveCommands(audit: Command, act: Act): void {
  audit
    .command('archive')
    .description('move the oldest events out of the database, into a signed file on the server')
    .requiredOption('--before <moment>', 'events before this one')
    .option('--confirm <word>', '"archive", instead of being asked')
    .addHelpText('after', examples('hithe audit archive --before 2026-01-01', 'hithe audit archive --before 52w --confirm archive'))
    .action((options: { before: string; confirm?: string }) => act(async (context) => (await proofs()).archive(context, options)));
  audit
    .command('archives')
    .description('list what was archived')
    .action(() => act(async (context) => (await proofs()).listArchives(context)));
}

function filters(command: Command): Command {
  return command
    .option('--user <user>', 'who: an e-mail address or id')
    .option('--action <action>', 'what: an action, or how it begins')
    .option('--outcome <outcome>', 'success, denied or failed')
    .option('--project <project>', 'a project of the chosen team')
    .option('--subject <subject>', 'the id or name of what it was done to')
    .option('--since <moment>', 'not before: 30m, 12h, 7d, 2w, or a date')
    .option('--until <moment>', 'before')
    .option('--text <words>', 'words in action, actor, subject, address or request id');
}
