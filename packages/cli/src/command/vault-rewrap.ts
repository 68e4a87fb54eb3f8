import type { Command } from './command.ts'
import { rewriteCommand } from './rewrite-command.ts'

/** `postern vault rewrap TABLE`. */
export const run: Command = ([table = ''], options, context) =>
  rewriteCommand({ kind: 'rewrap', table }, options, context)
