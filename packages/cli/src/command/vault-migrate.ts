import type { Command } from './command.ts'
import { rewriteCommand } from './rewrite-command.ts'
import { inState } from './with-vault.ts'

/**
 * `postern vault migrate TABLE [--back]`. The state the job needs is set here; set it in vault.json for the
 * application too.
 */
export const run: Command = ([table = ''], options, context) =>
  options['back'] === true
    ? rewriteCommand({ kind: 'open', table, tables: inState(table, 'plaintext') }, options, context)
    : rewriteCommand({ kind: 'seal', table, tables: inState(table, 'dual') }, options, context)
