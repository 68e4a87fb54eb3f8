import type { Command as Program } from 'commander'
import type { AddCommand } from './add-command.ts'

const LISTEN = 'host:port, or a port on this machine only'

/** The commands over the log. */
export function addAuditCommands(program: Program, add: AddCommand): void {
  const audit = program.command('audit').description('the tamper-evident audit log')
  add(audit, 'verify', 'whether every entry is what was written', () => import('./audit-verify.ts'))
    .option('--key <key...>', "the log's public key, from elsewhere")
    .option('--remembered <file>', 'an older checkpoint, which the log must extend')
  filtered(add(audit, 'search', 'entries that match, newest first', () => import('./audit-search.ts')))
  filtered(
    add(audit, 'export', 'entries that match, oldest first, one a line', () => import('./audit-export.ts')),
  )
    .option('--format <format>', 'ndjson, ocsf or cef', 'ndjson')
    .option('--complete', 'everything of --tenant with proofs that nothing is missing')
  add(
    audit,
    'check-export <file>',
    'whether a complete export is genuine and nothing is missing',
    () => import('./audit-check-export.ts'),
  ).option('--key <key...>', "the log's public key, from elsewhere")
  add(audit, 'tail', 'the last entries', () => import('./audit-tail.ts'))
    .option('-n, --lines <count>', 'how many', '20')
    .option('-f, --follow', 'wait for new ones')
  add(
    audit,
    'proof <entry>',
    'a proof that an entry is in the log, to be verified offline',
    () => import('./audit-proof.ts'),
  )
  add(audit, 'checkpoint', 'the latest signed tree head', () => import('./audit-checkpoint.ts'))
  add(
    audit,
    'serve',
    'checkpoint, tiles and entries over HTTP, for others to verify',
    () => import('./audit-serve.ts'),
  ).option('--listen <place>', LISTEN, '127.0.0.1:9466')
  witness(add, audit)
  add(
    audit,
    'rebuild',
    'build the search index out of the log and compare',
    () => import('./audit-rebuild.ts'),
  ).option('--replace', 'replace the old index; stop the gateway first')
  add(audit, 'prune', 'remove old entries; every proof stays', () => import('./audit-prune.ts'))
    .option('--keep <duration>', 'how far back entries stay, e.g. 365d')
    .option('--yes', 'it cannot be undone')
  add(
    audit,
    'accept-rollback',
    'open a log that was restored from a backup and is older than an anchor remembers',
    () => import('./audit-accept-rollback.ts'),
  ).option('--yes', 'confirm that the entries beyond it are lost')
  add(
    audit,
    'key <name>',
    "create a signing key for a log in PostgreSQL, under the log's name; it is shown once",
    () => import('./audit-key.ts'),
  )
  add(
    audit,
    'erase <principal>',
    "destroy a principal's key: what says who they are becomes unreadable",
    () => import('./audit-erase.ts'),
  )
    .option('--tenant <tenant>', 'of the principal')
    .option('--yes', 'it cannot be undone')
}

function witness(add: AddCommand, audit: Program): void {
  add(
    audit,
    'witness',
    'cosign the checkpoints of other logs that only grow',
    () => import('./audit-witness.ts'),
  )
    .option('--log <origin=key...>', 'a log and its public key; may be given several times')
    .option('--name <name>', "this witness's name", 'witness.local')
    .option('--listen <place>', LISTEN, '127.0.0.1:9467')
}

function filtered(command: Program): Program {
  return command
    .option('--principal <id>', 'who acted')
    .option('--address <address>', 'from where')
    .option('--tenant <tenant>', 'for whom')
    .option('--type <type>', 'what happened: http, finding, config.reloaded, ...')
    .option('--action <action>', 'what was attempted')
    .option(
      '--decision <decision>',
      'allow, throttle, challenge or deny; would-deny and so on in observe mode',
    )
    .option('--request <id>', 'of one request')
    .option('--since <time>', '2h ago, or a date (UTC without a zone)')
    .option('--until <time>', '2h ago, or a date (UTC without a zone)')
    .option('--text <text>', 'found anywhere in the entry')
    .option('--limit <count>', 'at most so many')
}
