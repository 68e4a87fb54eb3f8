import {
  type Clock,
  type Duration,
  type Exchange,
  type Principal,
  parseDuration,
  systemClock,
} from '@postern/core'
import { backendCookies, readCookies } from '../headers/cookie.ts'
import type { Revocations } from '../revocation/revocations.ts'
import { AnswerCache } from './answer-cache.ts'
import { identifiedBy } from './credential.ts'
import { ABSENT, type Identification, type IdentifyMethod, known, REFUSED } from './identify-method.ts'

/** What a look-up says of a session. */
export interface FoundSession {
  readonly principal: Principal
  /**
   * When it began, epoch milliseconds, where that is known: what was revoked before
   * then does not touch it. Default: when its principal was authenticated, else 0.
   */
  readonly issuedAt?: number
}

/** The cookie of a session, and how it is looked up. */
export interface SessionMethodOptions {
  /** Default: `session`. */
  readonly name?: string
  /** Name of the session cookie; several names when it differs between HTTP and HTTPS. */
  readonly cookie: string | readonly string[]
  /**
   * Whether a value that is too long for one cookie comes in pieces, in the cookies `NAME.0`, `NAME.1` and so
   * on. Default: `false`.
   */
  readonly pieces?: boolean
  /**
   * Finds the session of a cookie's value (percent-decoding is the look-up's own). Undefined refuses the
   * cookie. An answer that depends on the exchange, other than by its cookies, needs `cache: '0s'`.
   * @throws StoreError (or rejects) when it cannot be determined
   */
  readonly find: (
    value: string,
    exchange: Exchange,
  ) => FoundSession | undefined | Promise<FoundSession | undefined>
  /**
   * How long a found session counts, for the same cookies, before it is looked up again. Default: `5s`. Keep
   * it short: the application's own sign-out is noticed after it.
   */
  readonly cache?: Duration
  readonly revocations?: Revocations
  readonly clock?: Clock
}

/** Identifies by a session cookie of the application. */
export function sessionMethod(options: SessionMethodOptions): IdentifyMethod {
  const names = typeof options.cookie === 'string' ? [options.cookie] : options.cookie
  const ttl = parseDuration(options.cache ?? '5s', 'identify.session.cache')
  const answers = new AnswerCache<FoundSession | undefined>({
    ...{ ttl, max: 20_000, clock: options.clock ?? systemClock },
    isGood: session => session !== undefined,
  })

  // The answer may depend on another cookie: that of the organisation somebody works for. They may be the
  // administrator of one, and a guest of another.
  const look = (value: string, exchange: Exchange): ReturnType<typeof answers.get> =>
    answers.get(value, async () => options.find(value, exchange), backendCookies(exchange))

  const take = (
    { value, cookies }: SentSession,
    session: FoundSession | undefined,
    exchange: Exchange,
  ): Identification => {
    if (session === undefined) return REFUSED
    const { principal } = session
    const issuedAt = session.issuedAt ?? principal.authenticatedAt ?? 0
    return options.revocations?.isRevoked(value, principal.id, issuedAt) === true
      ? REFUSED
      : known(
          identifiedBy(principal, {
            session: value,
            issuedAt,
            cookies,
            again: async () => (await look(value, exchange))?.principal.id === principal.id,
          }),
        )
  }

  return {
    name: options.name ?? 'session',
    identify: exchange => {
      const header = backendCookies(exchange)
      const sent = names.flatMap(name => [
        ...readCookies(header, name).map(value => ({ value, cookies: names })),
        ...(options.pieces === true ? joined(header, name, names) : []),
      ])
      const filled = sent.filter(({ value }) => value !== '')
      // Two session cookies: which one the backend reads is unknown, so one may have been
      // planted to deceive the backend or Postern.
      if (new Set(filled.map(({ value }) => value)).size > 1) return REFUSED
      const [session] = filled
      if (session === undefined) return ABSENT
      const said = look(session.value, exchange)
      return said instanceof Promise
        ? said.then(found => take(session, found, exchange))
        : take(session, said, exchange)
    },
  }
}

/** The value of a session cookie, and the cookies that hold it or may hold it. */
interface SentSession {
  readonly value: string
  readonly cookies: readonly string[]
}

/** A session in more pieces would not fit into the head of a request. */
const MAX_PIECES = 16

/** The value whose pieces are in the cookies `NAME.0`, `NAME.1` and so on; a piece sent twice makes two. */
function joined(header: string | undefined, name: string, names: readonly string[]): readonly SentSession[] {
  const pieces: string[] = []
  const cookies = [...names]
  for (let at = 0; at < MAX_PIECES; at++) {
    const piece = `${name}.${at}`
    const [first, ...others] = new Set(readCookies(header, piece))
    if (first === undefined) break
    pieces.push(first)
    cookies.push(piece)
    if (others.length > 0)
      return [first, ...others].map(value => ({ value: [...pieces.slice(0, -1), value].join(''), cookies }))
  }
  return pieces.length === 0 ? [] : [{ value: pieces.join(''), cookies }]
}
