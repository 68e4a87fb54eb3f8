import { parseAddress } from '@postern/core'
import { loggedClient } from './client-list.ts'
import { known } from './log-record.ts'

/** Words before the time that are looked at. */
const MAX_WORDS = 48

/** An address right behind what a logger writes before it: `INFO:werkzeug:192.0.2.1`, `[info]192.0.2.1`. */
const GLUED = /[\]:>](\d{1,3}(?:\.\d{1,3}){3})$/

/** What stands before the time of a common line. */
export interface WrittenClient {
  /** As written, without a port. */
  readonly address: string
  readonly forwardedFor?: string
  readonly host?: string
  readonly user?: string
}

/**
 * The client of a common line by the words before its time: `[virtual host] addresses ident user`, behind
 * what the server or a collector of logs may have put before it. The first word that is an address counts:
 * what stands behind it, the name of a user, is what a client chose to send. Undefined without one.
 */
export function writtenClient(before: string): WrittenClient | undefined {
  const words = before.split(' ', MAX_WORDS).filter(word => word !== '')
  let first = words.findIndex(isHop)
  if (first < 0) {
    first = words.findIndex(word => GLUED.test(word))
    words[first] = GLUED.exec(words[first] ?? '')?.[1] ?? ''
  }
  if (first < 0) return undefined
  let end = first + 1
  while (end < words.length && (words[end - 1]?.endsWith(',') || isHop(words[end] as string))) end++
  const list = words
    .slice(first, end)
    .map(bare)
    .filter(hop => hop !== '')
  const user = known(words.slice(end + 1).join(' '))
  const host = first === 1 ? known(words[0]) : undefined
  return {
    ...loggedClient(list.join(', ')),
    ...(host !== undefined && { host }),
    ...(user !== undefined && { user }),
  }
}

/** Whether a word is an address, or begins a list of them. */
function isHop(word: string): boolean {
  if (word === '-,' || word === 'unknown,') return true
  const [hop = ''] = bare(word).split(',', 1)
  return parseAddress(loggedClient(hop).address) !== undefined
}

/** Without quotes, and without the comma behind it. */
function bare(word: string): string {
  return word.replace(/^"|"$/g, '').replace(/,$/, '').replace(/^"|"$/g, '')
}
