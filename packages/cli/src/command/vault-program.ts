import type { Command as Program } from 'commander'
import type { AddCommand } from './add-command.ts'
import { addUnlockOptions } from './unlock-options.ts'

const FILE = ['--vault <file>', 'tables, keys and holders', 'vault.json'] as const

const EXCEPT = [
  '--except <key...>',
  'rows to leave as they are, canaries above all; a key of several columns as a JSON array',
] as const

const FINGERPRINT = [
  '--fingerprint <fingerprint>',
  'instead of the argument; --fingerprint=-abc takes one that begins with a hyphen',
] as const

/** The commands over encrypted columns and over key holders. */
export function addVaultCommands(program: Program, add: AddCommand): void {
  const vault = program.command('vault').description('encrypted columns')
  add(
    vault,
    'init',
    'make vault.json, its keys and the TLS identity',
    () => import('./vault-init.ts'),
  ).option(...FILE)
  add(vault, 'fingerprint', 'what holders pin', () => import('./vault-fingerprint.ts')).option(...FILE)
  add(
    vault,
    'add-holder <number> <address> [fingerprint]',
    'where a holder is, in vault.json',
    () => import('./vault-add-holder.ts'),
  )
    .option(...FILE)
    .option(...FINGERPRINT)
  add(
    vault,
    'status',
    'tables, columns and their states, and whether the holders answer',
    () => import('./vault-status.ts'),
  ).option(...FILE)
  add(
    vault,
    'migrate <table>',
    'seal what is plain in a table; goes on where it was stopped',
    () => import('./vault-migrate.ts'),
  )
    .option(...FILE)
    .option('--back', 'the other way: open what is sealed')
    .option('--batch <count>', 'rows at a time', '100')
    .option('--pause <duration>', 'between two batches', '0ms')
    .option(...EXCEPT)
  add(
    vault,
    'rewrap <table>',
    'move records of earlier epochs to the current one',
    () => import('./vault-rewrap.ts'),
  )
    .option(...FILE)
    .option('--batch <count>', 'rows at a time', '100')
    .option('--pause <duration>', 'between two batches', '100ms')
    .option(...EXCEPT)
  add(vault, 'rotate', 'a new local key, which seals from now on', () => import('./vault-rotate.ts')).option(
    ...FILE,
  )
  add(
    vault,
    'erase <subject>',
    "destroy what a person's records are sealed with",
    () => import('./vault-erase.ts'),
  )
    .option(...FILE)
    .option('--yes', 'it cannot be undone')
  add(
    vault,
    'canary <table> <column> <key...>',
    'how to make a record one that nobody should open',
    () => import('./vault-canary.ts'),
  )
    .option(...FILE)
    .option('--tenant <tenant>', 'the row belongs to')
  add(
    vault,
    'exposure <folder...>',
    'what a thief opens with these folders, this environment and the database',
    () => import('./vault-exposure.ts'),
  )
    .option(...FILE)
    .option('--in-reach', 'the holders answer the thief')
    .option('--service <name>', 'what the holders call the application, for stolen capabilities', 'app')
  add(
    vault,
    'bench',
    'what sealing and opening cost here, and what the holders add to a page of 50',
    () => import('./vault-bench.ts'),
  )
    .option(...FILE)
    .option('--column <column>', 'a split column to measure the holders with: TABLE.COLUMN')
    .option('--pages <count>', 'pages to open through the holders', '200')
  const holder = program.command('holder').description("a process that keeps part of the vault's keys")
  addUnlockOptions(
    add(
      holder,
      'init <folder> <number>',
      'make holder 1, 2 or 3; without a way to unlock it, also a key file',
      () => import('./holder-init.ts'),
    ),
  ).option('--port <port>', 'where it listens', '9470')
  add(
    holder,
    'fingerprint <config>',
    'what applications and the other holders pin',
    () => import('./holder-fingerprint.ts'),
  )
  add(
    holder,
    'add-peer <config> <number> <address> [fingerprint]',
    'another holder, in the configuration',
    () => import('./holder-add-peer.ts'),
  ).option(...FINGERPRINT)
  add(
    holder,
    'add-service <config> <name> [fingerprint]',
    'an application, in the configuration',
    () => import('./holder-add-service.ts'),
  )
    .option(...FINGERPRINT)
    .option('--seal <column...>', 'columns it may seal: customers.email, customers.* or *')
    .option('--open <column...>', 'columns it may open')
    .option('--search <column...>', 'columns it may search')
    .option('--harden', 'it may ask to harden passwords')
  addUnlockOptions(
    add(holder, 'run <config>', 'run a holder, with its own audit log', () => import('./holder-run.ts')),
  )
  add(
    holder,
    'ask <config> <operation> [value]',
    'status, ready (waits for the other two), begin-epoch, remove-epoch, freeze, thaw, canary or backup, of the running holder',
    () => import('./holder-ask.ts'),
  )
  add(
    holder,
    'restore <config> <backup>',
    'replace the file of a stopped holder with a backup',
    () => import('./holder-restore.ts'),
  )
  add(
    holder,
    'replace <config> <number>',
    'give a holder that was set up again the parts it shares with this one',
    () => import('./holder-replace.ts'),
  )
}
