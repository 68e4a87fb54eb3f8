import type { Command as Program } from 'commander'

const UNKNOWN = /^error: unknown command '([^']{1,60})'\n/

/**
 * An error text about an unknown command, with the commands of that name that stand below others: `verify` is
 * `postern audit verify`. Other texts as they are.
 */
export function withWholeCommand(text: string, program: Program): string {
  const name = UNKNOWN.exec(text)?.[1]
  const found = name === undefined ? [] : pathsOf(program, name)
  if (found.length === 0) return text
  return `error: unknown command '${name}'\n(Did you mean ${found.join(', or ')}?)\n`
}

function pathsOf(parent: Program, name: string, before = parent.name()): readonly string[] {
  return parent.commands.flatMap(command => {
    const path = `${before} ${command.name()}`
    return [...(command.name() === name ? [path] : []), ...pathsOf(command, name, path)]
  })
}
