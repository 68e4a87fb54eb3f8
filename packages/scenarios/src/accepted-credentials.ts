import { type ClaimedCredential, claimedCredential, type Event, HttpEvent } from '@postern/core'
import { addressOf } from './event-fields.ts'
import { RecentMap } from './recent-map.ts'

/** Clients with a credential that are remembered. */
const CAPACITY = 20_000
/** Answers that may go wrong before the first one that is right, and beyond as many as were right. */
const ALLOWANCE = 10
/** Older answers count half from here on. */
const MEMORY = 40

/** What the backend answered to one client with one credential. */
interface Standing {
  /** Different targets that it answered with success. */
  right: number
  /** Bits of targets that are counted already: the same page again proves nothing. */
  seen: number
  wrong: number
}

/**
 * Whose credential the backend takes: anybody can send an `Authorization` header or a cookie named `session`.
 * One counts while the backend has answered at least one of its requests with success, and refused (4xx)
 * hardly more of them than it answered so, each target once. A tool that sends a made-up header gets missing
 * pages, and stays who it is.
 */
export class AcceptedCredentials {
  readonly #standings = new RecentMap<Standing>(CAPACITY)

  /**
   * Learns from the answer to a request. @returns how its client says who it is, if the backend takes that
   */
  of(event: Event): ClaimedCredential['kind'] | undefined {
    const claimed = claimOf(event)
    if (claimed === undefined) return undefined
    const key = `${addressOf(event) ?? ''} ${claimed.mark}`
    const standing = this.#standings.touch(key, () => ({ right: 0, seen: 0, wrong: 0 }))
    if (event.outcome !== undefined && (event.decision === undefined || event.decision === 'allow'))
      learn(standing, event.outcome.status, pathOf(event))
    return standing.right > 0 && standing.wrong <= standing.right + ALLOWANCE ? claimed.kind : undefined
  }
}

/** From the request itself, or as a worker noted it. */
function claimOf(event: Event): ClaimedCredential | undefined {
  if (event instanceof HttpEvent) return claimedCredential(event.exchange)
  const kept = event.data?.['credential']
  if (typeof kept !== 'object' || kept === null) return undefined
  const { kind, mark } = kept as Readonly<Record<string, unknown>>
  return (kind === 'authorization' || kind === 'key' || kind === 'session') && typeof mark === 'string'
    ? { kind, mark }
    : undefined
}

function learn(standing: Standing, status: number, path: string): void {
  if (status >= 200 && status < 400) {
    const bit = 1 << (hashOf(path) & 31)
    if ((standing.seen & bit) === 0) standing.right++
    standing.seen |= bit
  } else if (status >= 400 && status < 500 && status !== 429) standing.wrong++
  if (standing.right + standing.wrong < MEMORY) return
  standing.right = (standing.right + 1) >> 1
  standing.wrong >>= 1
  standing.seen = 0
}

function pathOf(event: Event): string {
  return event instanceof HttpEvent ? event.exchange.path.canonical : (event.request?.path ?? '')
}

function hashOf(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length && i < 256; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash ^ (hash >>> 15)
}
