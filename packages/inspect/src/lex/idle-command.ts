import type { Reading } from '../value/reading.ts'

/** Programs that only print their usage when they get no argument, or pack what is piped in. */
const IDLE =
  /^(?:curl|wget|aria2c|axel|lynx|links|w3m|tar|bsdtar|zip|unzip|nmap|nc|ncat|netcat|ssh|scp|sftp|ping6?|gzip|gunzip|bzip2|bunzip2|xz|unxz|zstd|lz4|lzop)$/
const NO_ARGUMENT = /^(?:$|[|)])/
const PIPED = /(?:^|[^|])\|$/
/** What a script was started with, which is nothing where a value is put into a command. */
const OWN_ARGUMENTS = /^ {1,4}"\$@"[ \t]{0,4}(?:\n|$)/
/** At the end of a quoted command, as in a file of Compose; alone it would be a probe that hangs. */
const WAITS = /^ {1,4}-f \/dev\/null["']\s{0,4}(?:\n|$)/

/**
 * Whether a program does nothing as it stands: it is piped into and gets no argument (`no|xz|gz`, a list of
 * user agents with `|curl|wget`), only waits, as in a container that is to keep running, or runs what a
 * script was given, as the last line of an entry point does.
 * @param rest what stands behind its name
 * @param separator where what separates it from the text before it stands
 */
export function isIdling(
  command: string,
  rest: string,
  { lower, place }: Reading,
  separator: number,
): boolean {
  if (command === 'tail') return place === 'body' && WAITS.test(rest)
  if (command === 'exec') return OWN_ARGUMENTS.test(rest)
  return (
    IDLE.test(command) &&
    NO_ARGUMENT.test(rest) &&
    PIPED.test(lower.slice(Math.max(0, separator - 1), separator + 1))
  )
}
