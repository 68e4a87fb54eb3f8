import {
  ALLOW,
  type Clock,
  type ConfigChange,
  ConfigError,
  type Decision,
  type Duration,
  type Exchange,
  formatDuration,
  type Guard,
  isPreflight,
  type Mode,
  pageLanguage,
  parseDuration,
  type RandomSource,
  type Reason,
  type Refusal,
  type Remediation,
  shellWord,
  systemClock,
  systemRandom,
} from '@postern/core'
import { ActorRate } from './actor-rate.ts'
import { formatActor } from './actor-text.ts'
import { challengePage } from './challenge-page.ts'
import { ProofOfWork } from './proof-of-work.ts'
import type { ActorSet } from './remediation-index.ts'
import type { RemediationStore } from './remediation-store.ts'

/** Which actors are looked up, and how `throttle` and `challenge` hold. */
export interface RemediationGuardOptions {
  /**
   * Signs puzzles; 32 bytes or more, the same on every instance. Default: random, valid in this process only.
   */
  readonly secret?: Uint8Array
  /** What a throttled actor may still send. Default: 20 requests a minute, 5 at once. */
  readonly throttle?: { readonly count: number; readonly per: Duration; readonly burst: number }
  /** Leading zero bits of a puzzle, 8 to 26. Default: 17, about one second on a phone. */
  readonly difficulty?: number
  /** How long a clearance is valid. Default: 30 minutes. */
  readonly clearance?: Duration
  /**
   * The actors whose remediations are applied: all that are known by then (`all`, the default), or, where
   * the principal is identified between two guards, addresses and devices by the first guard and
   * principals, tenants and keys by the second.
   */
  readonly actors?: 'all' | 'arrival' | 'identified'
  /** Default: `remediation`. */
  readonly name?: string
  /**
   * The name by which `scenarios.without` excludes the origin of a remediation;
   * undefined for origins that are not a scenario.
   */
  readonly fileOf?: (origin: string) => string | undefined
  readonly mode?: Mode
  readonly clock?: Clock
  readonly random?: RandomSource
}

const SOLUTION_COOKIE = 'postern_solution'
const CLEARANCE_COOKIE = 'postern_clearance'
/** Cookies of one name that are looked at: each costs a MAC. */
const MAX_COOKIES = 8
const PUZZLE_TTL_MS = 120_000

/**
 * The first guard (and, with `actors`, one after the guard that identifies): applies active remediations to
 * their actors. `block` refuses, `throttle` lets a few requests through, `challenge` asks browsers for a
 * proof of work and tells API clients how to send one. Looks up memory only.
 *
 * Rules: `remediation/block`, `remediation/throttle`, `remediation/challenge`.
 * @throws ConfigError for a secret that is too short or a difficulty out of bounds
 */
export function remediationGuard(store: RemediationStore, options: RemediationGuardOptions = {}): Guard {
  const clock = options.clock ?? systemClock
  const random = options.random ?? systemRandom
  const secret = options.secret ?? random.bytes(32)
  const difficulty = options.difficulty ?? 17
  if (secret.length < 32)
    throw new ConfigError({ place: 'remediations.secret', problem: 'needs at least 32 bytes' })
  if (!Number.isInteger(difficulty) || difficulty < 8 || difficulty > 26)
    throw new ConfigError({
      place: 'remediations.difficulty',
      problem: 'must be a whole number from 8 to 26',
    })
  const proof = new ProofOfWork({
    secret,
    clock,
    random,
    difficulty,
    puzzleTtl: PUZZLE_TTL_MS,
    clearanceTtl: parseDuration(options.clearance ?? '30m', 'remediations.clearance'),
  })
  const { count, per, burst } = options.throttle ?? { count: 20, per: '1m', burst: 5 }
  const rate = new ActorRate(count, parseDuration(per, 'remediations.throttle.per'), burst, clock)
  const name = options.name ?? 'remediation'
  const actors = options.actors ?? 'all'

  const throttle = (remediation: Remediation): Decision => {
    const wait = rate.take(remediation.id)
    if (wait === 0) return ALLOW
    return {
      effect: 'throttle',
      guard: name,
      status: 429,
      retryAfter: Math.max(1, Math.ceil(wait / 1_000)),
      reasons: [reason(remediation, 'Requests from here are slowed down for a while. Please wait a moment.')],
    }
  }

  const isCleared = (exchange: Exchange): boolean => {
    const client = clientOf(exchange)
    return shown(exchange, 'x-postern-clearance', CLEARANCE_COOKIE).some(clearance =>
      proof.isCleared(clearance, client),
    )
  }

  const challenge = (exchange: Exchange, remediation: Remediation): Decision => {
    if (isCleared(exchange)) return ALLOW
    const client = clientOf(exchange)
    let redeemed: string | undefined
    for (const solution of shown(exchange, 'x-postern-solution', SOLUTION_COOKIE))
      redeemed ??= proof.redeem(solution, client)
    if (redeemed !== undefined) {
      const seconds = Math.floor(proof.clearanceTtl / 1_000)
      const secure = exchange.scheme === 'https' ? '; Secure' : ''
      exchange.reply(
        'Set-Cookie',
        `${CLEARANCE_COOKIE}=${redeemed}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`,
      )
      exchange.reply('Set-Cookie', `${SOLUTION_COOKIE}=; Path=/; Max-Age=0; SameSite=Lax${secure}`)
      return ALLOW
    }
    return challengeRefusal(exchange, remediation, proof.puzzle(client))
  }

  const challengeRefusal = (exchange: Exchange, remediation: Remediation, puzzle: string): Refusal => {
    const isBrowser = exchange.header('accept')?.includes('text/html') === true
    const then = exchange.method === 'GET' || exchange.method === 'HEAD' ? 'repeat' : 'go-back'
    const nonce = Buffer.from(random.bytes(16)).toString('base64url')
    return {
      effect: 'challenge',
      guard: name,
      status: 403,
      reasons: [
        reason(
          remediation,
          'Unusual traffic came from here. Open this address in a browser, or send a solution of the puzzle in the ' +
            'header X-Postern-Puzzle as X-Postern-Solution: "puzzle:counter" whose SHA-256 begins with as many zero bits ' +
            'as the first number of the puzzle says.',
        ),
      ],
      headers: ['X-Postern-Puzzle', puzzle],
      ...(isBrowser && {
        content: challengePage({
          puzzle,
          difficulty,
          cookie: SOLUTION_COOKIE,
          nonce,
          then,
          requestId: exchange.id,
          language: pageLanguage(exchange),
        }),
      }),
    }
  }

  const decide = (exchange: Exchange): Decision => {
    const remediation = actors === 'all' ? store.find(exchange) : store.findStage(exchange, actors)
    if (remediation === undefined) return ALLOW
    // A browser sends these by itself: they are not what the actor may still send.
    if (remediation.measure === 'throttle') return isPreflight(exchange) ? ALLOW : throttle(remediation)
    if (remediation.measure === 'challenge') return challenged(exchange, remediation)
    return blocked(remediation)
  }

  const challenged = (exchange: Exchange, remediation: Remediation): Decision => {
    const said = challenge(exchange, remediation)
    if (said.effect !== 'allow') return said
    const slower = store
      .why(actorsAt(store.actorsOf(exchange), actors))
      .find(({ measure, actor }) => measure === 'throttle' && !store.isProtected(actor))
    return slower === undefined || isPreflight(exchange) ? said : throttle(slower)
  }

  const blocked = (remediation: Remediation): Refusal => ({
    effect: 'deny',
    guard: name,
    status: 403,
    retryAfter: Math.max(1, Math.ceil((remediation.expiresAt - clock.now()) / 1_000)),
    reasons: [reason(remediation, 'Requests from here are refused for a while.')],
  })

  const wouldRefuse = (exchange: Exchange): Decision => {
    const remediation = actors === 'all' ? store.find(exchange) : store.findStage(exchange, actors)
    if (remediation === undefined) return ALLOW
    const { measure, id } = remediation
    if (measure === 'throttle')
      return rate.isSpent(id) && !isPreflight(exchange) ? blocked(remediation) : ALLOW
    return measure === 'challenge' && isCleared(exchange) ? ALLOW : blocked(remediation)
  }

  /**
   * The change that keeps a remediation from being set again: its scenario excluded, or,
   * for other origins, the address protected.
   */
  const changesAgainst = ({ actor, origin }: Remediation): readonly ConfigChange[] => {
    const file = options.fileOf?.(origin)
    if (file !== undefined) return [{ at: ['scenarios', 'without'], add: [file] }]
    if (origin === 'manual' || (actor.kind !== 'address' && actor.kind !== 'network')) return []
    return [{ at: ['remediations', 'never'], add: [actor.value] }]
  }

  const reason = (remediation: Remediation, message: string): Reason => {
    const actor = formatActor(remediation.actor)
    return {
      rule: `${name}/${remediation.measure}`,
      message,
      evidence: {
        location: `actor.${remediation.actor.kind}`,
        span: actor,
        facts: {
          remediation: remediation.id,
          why: remediation.reason,
          origin: remediation.origin,
          left: formatDuration(Math.max(0, remediation.expiresAt - clock.now())),
        },
      },
      exception: { changes: changesAgainst(remediation), command: `postern unban ${shellWord(actor)}` },
    }
  }

  return { name, failure: 'closed', ...(options.mode && { mode: options.mode }), decide, wouldRefuse }
}

/** The actors whose remediations a guard applies. */
function actorsAt(all: ActorSet, stage: 'all' | 'arrival' | 'identified'): ActorSet {
  if (stage === 'all') return all
  const { address, device, ...identified } = all
  return stage === 'arrival' ? { address, device } : identified
}

/** Whom a clearance is for: an address alone may be shared by many. */
function clientOf(exchange: Exchange): string {
  return `${exchange.client}\n${exchange.header('user-agent') ?? ''}`
}

/** What a request shows in a header, or else in cookies. */
function shown(exchange: Exchange, header: string, cookie: string): readonly string[] {
  const value = exchange.header(header)
  return value === undefined ? cookieValues(exchange.header('cookie'), cookie) : [value]
}

/**
 * The cookies of a name, at most so many. A subdomain can plant one, and browsers send the most specific
 * first (RFC 6265 section 5.4): the first alone would keep a visitor in the challenge for good.
 */
function cookieValues(header: string | undefined, name: string): readonly string[] {
  const found: string[] = []
  if (header === undefined) return found
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=')
    if (equals > 0 && pair.slice(0, equals).trim() === name) found.push(pair.slice(equals + 1).trim())
    if (found.length === MAX_COOKIES) break
  }
  return found
}
