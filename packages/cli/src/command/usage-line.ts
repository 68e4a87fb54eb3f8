import type { Command as Program } from 'commander'

/** Shows after an error how the command is written: its arguments and options, or the commands below it. */
export function showUsageAfterErrors(command: Program, path: string = command.name()): void {
  const { commands, options, registeredArguments } = command
  for (const inner of commands) showUsageAfterErrors(inner, `${path} ${inner.name()}`)
  if (command.parent === null) return
  if (commands.length > 0 && registeredArguments.length === 0) {
    const names = commands.map(inner => inner.name()).join(', ')
    command.showHelpAfterError(`(${path} has the commands ${names}; --help shows them)`)
    return
  }
  const given = registeredArguments.map(argument => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`
    return argument.required ? ` <${name}>` : ` [${name}]`
  })
  const flags = options.map(option => option.flags).join(', ')
  command.showHelpAfterError(
    `(usage: ${path}${given.join('')}${flags === '' ? '' : `; options: ${flags}`}; --help says more)`,
  )
}
