import type { Command as Program } from 'commander'

const UNKNOWN = /^error: unknown command '([^']{1,60})'\n/

/** What other tools call a command. */
const WORDS: Readonly<Record<string, string>> = {
  start: 'gateway',
  run: 'gateway',
  serve: 'gateway',
  proxy: 'gateway',
  check: 'doctor',
  config: 'doctor',
  lint: 'doctor',
  status: 'doctor',
  validate: 'doctor',
  block: 'ban',
  unblock: 'unban',
  log: 'audit tail',
  logs: 'audit tail',
}

/** What may be a fingerprint, or another value in base64url, that begins with a hyphen. */
const HYPHENED = /^error: unknown option '-[A-Za-z0-9_-]{42}'\n/

/** What may be the id of an account, an organisation or a session. */
const HYPHENED_ID = /^error: unknown option '-[A-Za-z0-9_-]{15}'\n/

/**
 * An error text about an unknown command, with the commands of that name that stand below others: `verify` is
 * `postern audit verify`. One about a fingerprint or an id that was taken for an option says how to give it.
 * Other texts as they are.
 * @param below the command that was asked for another one
 */
export function withWholeCommand(text: string, program: Program, below: Program = program): string {
  if (HYPHENED.test(text))
    return `${text}(A fingerprint that begins with a hyphen? Give it as --fingerprint=-abc, or after --.)\n`
  if (HYPHENED_ID.test(text)) return `${text}(An id that begins with a hyphen? Give it after --.)\n`
  const name = UNKNOWN.exec(text)?.[1]
  // `postern users add` does not mean `postern bouncers add`: what is below users follows the error.
  if (name === undefined || below !== program) return text
  const word = Object.hasOwn(WORDS, name) ? [`${program.name()} ${WORDS[name]}`] : []
  const found = [...word, ...pathsOf(program, name)]
  if (found.length === 0) return text
  return `error: unknown command '${name}'\n(Did you mean ${found.join(', or ')}?)\n`
}

function pathsOf(parent: Program, name: string, before = parent.name()): readonly string[] {
  return parent.commands.flatMap(command => {
    const path = `${before} ${command.name()}`
    return [...(command.name() === name ? [path] : []), ...pathsOf(command, name, path)]
  })
}
