import type { Command as Program } from 'commander'
import type { AddCommand } from './add-command.ts'

/** Whoever sees a key is both sides where it asks for approval and they give it. */
const AS = 'who gets the key, and approves nothing it asks (default: your account)'

/** `postern keys`, `users` and `sessions`: built-in identity from the command line. */
export function addIdentityCommands(program: Program, add: AddCommand): void {
  const keys = program.command('keys').description('API keys of built-in identity')
  add(
    keys,
    'create <service>',
    'make a key of a service; it is shown this once',
    () => import('./keys-create.ts'),
  )
    .option('--name <text>', 'what it is for (default: the service)')
    .option('--scope <scope...>', 'what it may do')
    .option('--network <network...>', 'where it may be used from (default: anywhere)')
    .option('--environment <word>', 'second part of the key (default: live)')
    .option('--expires <duration>', 'how long it works (default: forever)')
    .option('--as <name>', AS)
  add(keys, 'list', 'every key, with owner and state', () => import('./keys-list.ts'))
  add(keys, 'rotate <id>', 'replace a key; the old one works for a while', () => import('./keys-rotate.ts'))
    .option('--overlap <duration>', 'how long the old one works', '24h')
    .option('--as <name>', AS)
  add(keys, 'revoke <id>', 'a key that no longer works', () => import('./keys-revoke.ts')).option(
    '--reason <text>',
    'why',
  )
  add(keys, 'leak', 'revoke keys found in public, read from standard input', () => import('./keys-leak.ts'))

  const users = program
    .command('users')
    .description('accounts of built-in identity; <user> is an id or an e-mail address')
  add(users, 'list', 'accounts, newest first', () => import('./users-list.ts'))
  add(users, 'import <file>', 'accounts from CSV', () => import('./users-import.ts'))
  add(
    users,
    'roles <user> [role...]',
    'what an account may do on the whole site; no role takes all away',
    () => import('./users-roles.ts'),
  )
  add(users, 'disable <user>', 'an account that cannot sign in', () => import('./users-disable.ts'))
    .option('--undo', 'let it sign in again, as `users enable` does')
    .option('--reason <text>', 'why')
  add(
    users,
    'enable <user>',
    'a disabled account that may sign in again',
    () => import('./users-enable.ts'),
  ).option('--reason <text>', 'why')
  add(
    users,
    'delete <user>',
    'an account, with everything that hangs on it',
    () => import('./users-delete.ts'),
  )

  const sessions = program.command('sessions').description('who is signed in')
  add(sessions, 'list', 'sessions, last used first', () => import('./sessions-list.ts')).option(
    '--user <user>',
    'of one account, by id or e-mail address',
  )
  add(
    sessions,
    'revoke <user>',
    'sign an account out everywhere',
    () => import('./sessions-revoke.ts'),
  ).option('--session <id>', 'one session only')
}
