import type { Command as Program } from 'commander'

/** Options of every command that take no value. */
const FLAGS: ReadonlySet<string> = new Set(['--json', '--quiet', '-q'])

/**
 * Arguments that ask for help, so that each way of asking shows the same: `help audit verify`, `audit help
 * verify` and `audit verify --help`. Help on a command that is not there stays that command alone, which is
 * the error it deserves, in place of help on something else and exit code 0.
 */
export function askedHelp(args: readonly string[], program: Program): readonly string[] {
  const path: string[] = []
  let at: Program = program
  let asks = false
  for (const name of args) {
    if (FLAGS.has(name)) continue
    // Options and their values, and what a command without others below it takes, are not for us.
    if (name.startsWith('-') || at.commands.length === 0) break
    if (name === 'help') {
      asks = true
      continue
    }
    path.push(name)
    const child = at.commands.find(command => command.name() === name || command.aliases().includes(name))
    if (child === undefined) return asks || isFollowedByHelp(args) ? path : args
    at = child
  }
  return asks ? [...path, '--help'] : args
}

function isFollowedByHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return (end < 0 ? args : args.slice(0, end)).some(arg => arg === '--help' || arg === '-h')
}
