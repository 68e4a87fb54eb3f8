/** Commands that run until they are stopped, whatever becomes of their output. */
const SERVERS: ReadonlySet<string> = new Set([
  'gateway',
  'forward-auth',
  'dev',
  'audit serve',
  'audit witness',
  'holder run',
])
/** Options of every command that are followed by a value. */
const VALUED: ReadonlySet<string | undefined> = new Set(['-c', '--config', '-d', '--data'])

/** Whether a command line starts a server: told before the command line is loaded. */
export function isServer(args: readonly string[]): boolean {
  const words = args.filter((word, index) => !word.startsWith('-') && !VALUED.has(args[index - 1]))
  return SERVERS.has(words[0] ?? '') || SERVERS.has(words.slice(0, 2).join(' '))
}
