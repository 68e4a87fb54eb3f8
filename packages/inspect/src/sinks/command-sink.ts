const ACTIVE = /[;|&`$<>\n(){}]|\s-/

/**
 * Whether a value of the request stands in a shell command outside of single quotes and brings something
 * the shell acts on.
 */
export function escapesCommand(command: string, value: string): boolean {
  if (value.length < 2 || !ACTIVE.test(value)) return false
  let at = command.indexOf(value)
  for (let n = 0; at >= 0 && n < 16; n++) {
    const quoted = isSingleQuoted(command, at)
    if (!quoted || value.includes("'")) return true
    at = command.indexOf(value, at + 1)
  }
  return false
}

function isSingleQuoted(command: string, end: number): boolean {
  let quoted = false
  for (let at = 0; at < end; at++) {
    if (command[at] === '\\' && !quoted) at++
    else if (command[at] === "'") quoted = !quoted
  }
  return quoted
}
