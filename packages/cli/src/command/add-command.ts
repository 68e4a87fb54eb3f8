import type { Command as Program } from 'commander'
import type { Command } from './command.ts'

/** Loads a command's own code only when it is the one that was called. */
export type Load = () => Promise<{ readonly run: Command }>

/** Adds a command whose code is loaded when it is called. */
export type AddCommand = (parent: Program, usage: string, description: string, load: Load) => Program
