import type { Command } from './command.ts'
import { setState } from './users-disable.ts'

/** `postern users enable ID|EMAIL`: a disabled account may sign in again. Exit 1 when nothing changed. */
export const run: Command = ([said = ''], options, context) => setState(said, 'active', options, context)
