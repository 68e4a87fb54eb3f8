import { ALLOW, type Clock, type Decision, type Exchange, type RandomSource } from '@postern/core'
import { BIND_PATH, served, servedJson } from './bind-answers.ts'
import { bindPage } from './bind-page.ts'
import { bindScript } from './bind-script.ts'
import { type BoundCookie, boundCookieLine, noBoundCookieLine, readBoundCookie } from './bound-cookie.ts'
import { type BoundLedger, type Held, takesKey } from './bound-ledger.ts'
import { readProof } from './bound-proof.ts'
import type { BoundRecord } from './bound-record.ts'
import { challenges } from './challenges.ts'

export interface ScriptBindingOptions {
  readonly ledger: BoundLedger
  readonly secret: Uint8Array
  readonly clock: Clock
  readonly random: RandomSource
  /** Milliseconds that a value of the cookie counts. */
  readonly interval: number
  /** A script has registered its key. */
  readonly onBound: (exchange: Exchange, id: string) => void
}

/**
 * Request header of the script, which says what it wants; answer header that says what it has to do. No page
 * of another origin can send it: it would have to be asked first (CORS), and nobody answers that.
 */
const HEADER = 'Postern-Bind'

/**
 * What a browser shows and does not act on: it is fetched as nobody, like anything else after a sign-out.
 */
const PASSIVE = new Set([
  ...['image', 'style', 'font', 'audio', 'video', 'track', 'manifest'],
  ...['script', 'worker', 'sharedworker', 'serviceworker'],
])

/**
 * Keys that a script keeps, for browsers that keep none themselves: ECDSA on P-256 by WebCrypto, not
 * extractable, in IndexedDB. The cookie stays in the browser when its value has run out, so that the session
 * is still known; it then opens nothing but the way to prove the key.
 */
export class ScriptBinding {
  readonly #options: ScriptBindingOptions
  readonly #challenges: ReturnType<typeof challenges>

  constructor(options: ScriptBindingOptions) {
    this.#options = options
    this.#challenges = challenges(options.secret, options.random, 'script')
  }

  /** Answers what is under the path of the script, or undefined for other paths. */
  serve(exchange: Exchange, hold: () => Held | Promise<Held>): Decision | Promise<Decision> | undefined {
    switch (exchange.path.canonical) {
      case `${BIND_PATH}/session.js`:
        return bindScript(exchange)
      case `${BIND_PATH}/script`:
        return this.#answer(exchange, hold)
      case `${BIND_PATH}/without-key`:
        return this.#withoutKey(exchange, hold)
      default:
        return undefined
    }
  }

  /**
   * Before the backend sees a request: a page of ours that registers or renews, where a person would wait
   * for a page anyway; 401 for what must not be handled as nobody's.
   */
  pass(exchange: Exchange, { id, standing, record }: Held): Decision {
    if (id === '' || record.sealed === '') return ALLOW
    const isScripts = record.keeper === 'script'
    if (standing === 'good') {
      const isOpen =
        record.key === undefined ? record.keyless !== true : isScripts && record.confirmed !== true
      return isOpen && wantsPage(exchange) && exchange.method === 'GET' ? bindPage(exchange, 'bind') : ALLOW
    }
    if (!isScripts || PASSIVE.has(exchange.header('sec-fetch-dest') ?? '')) return ALLOW
    if (!wantsPage(exchange)) return servedJson(401, [HEADER, 'renew'], RENEW)
    return bindPage(exchange, exchange.method === 'GET' ? 'bind' : 'sent')
  }

  /** Header of the answer that begins a session. */
  get invitation(): readonly [name: string, value: string] {
    return [HEADER, 'register']
  }

  async #answer(exchange: Exchange, hold: () => Held | Promise<Held>): Promise<Decision> {
    const wish = exchange.header(HEADER.toLowerCase())
    if (exchange.method !== 'POST' || wish === undefined) return served(400, [], '')
    if (wish === 'forget') return servedJson(200, ['Set-Cookie', noBoundCookieLine(exchange)], {})
    const held = await hold()
    if (wish === 'state') return this.#state(exchange, held)
    if (wish === 'register') return this.#register(exchange, held)
    return wish === 'renew' ? this.#renew(exchange) : served(400, [], '')
  }

  /**
   * How the session stands, and a challenge for it. Whoever has the cookie learns nothing with it that opens
   * anything: only a signature over the challenge does.
   */
  async #state(exchange: Exchange, held: Held): Promise<Decision> {
    const { ledger, clock } = this.#options
    const id = idOf(exchange)
    const record = id === undefined ? undefined : await ledger.find(id)
    if (id === undefined || record === undefined || record.sealed === '')
      return servedJson(200, [], { state: 'none' })
    const now = clock.now()
    const state =
      held.standing === 'good' && takesKey(record, 'script', now)
        ? 'open'
        : record.key === undefined
          ? 'none'
          : (record.keeper ?? 'device')
    return servedJson(200, [], {
      state,
      session: id,
      challenge: this.#challenges.issue(id, now),
      ...(record.keeper === 'script' && { key: record.key?.['x'] }),
    })
  }

  async #register(exchange: Exchange, held: Held): Promise<Decision> {
    const { ledger, clock, onBound } = this.#options
    const proof = proofOf(exchange, undefined)
    if (proof?.key === undefined || proof.key['kty'] !== 'EC' || held.standing !== 'good')
      return served(403, [], '')
    const { key, challenge } = proof
    if (!this.#challenges.isFresh(challenge, held.id, clock.now())) return served(403, [], '')
    const cookie = await ledger.register(held.id, { key, keeper: 'script', challenge })
    if (cookie === undefined) return served(403, [], '')
    onBound(exchange, held.id)
    return this.#granted(exchange, cookie, held.record)
  }

  /** The secret of the cookie may be any earlier one: the key proves the session. */
  async #renew(exchange: Exchange): Promise<Decision> {
    const { ledger, clock } = this.#options
    const id = idOf(exchange)
    if (id === undefined) return served(403, [], '')
    const record = await ledger.find(id)
    if (record.key === undefined || record.keeper !== 'script') return served(403, [], '')
    const proof = proofOf(exchange, record.key)
    if (proof === undefined || !this.#challenges.isFresh(proof.challenge, id, clock.now()))
      return served(403, [], '')
    const cookie = await ledger.renew(id, proof.challenge)
    return cookie === undefined ? served(403, [], '') : this.#granted(exchange, cookie, record)
  }

  #granted(exchange: Exchange, cookie: BoundCookie, record: BoundRecord): Decision {
    const { clock, interval } = this.#options
    const { until } = record
    const sameSite = record.sameSite ?? 'Lax'
    const now = clock.now()
    const line = boundCookieLine(exchange, cookie, { sameSite, maxAge: (until - now) / 1_000 })
    return servedJson(200, ['Set-Cookie', line], { lifetime: Math.min(interval, until - now) })
  }

  /** From the page's form, where no key can be kept: it is not shown again, and the session ends soon. */
  async #withoutKey(exchange: Exchange, hold: () => Held | Promise<Held>): Promise<Decision> {
    if (exchange.method !== 'POST') return served(405, ['Allow', 'POST'], '')
    const site = exchange.header('sec-fetch-site') ?? 'same-origin'
    const held = await hold()
    if (held.standing === 'good' && site === 'same-origin') await this.#options.ledger.withoutKey(held.id)
    // Back where the page was shown, which sent its address along.
    return served(303, ['Location', backOf(exchange)], '')
  }
}

const RENEW = {
  type: 'about:blank',
  title: 'Unauthorized',
  status: 401,
  detail: 'The session has to be renewed with its key.',
}

/**
 * Whether a person waits for a page: a navigation, or, without Fetch Metadata, a client that asks for HTML.
 */
function wantsPage(exchange: Exchange): boolean {
  const mode = exchange.header('sec-fetch-mode')
  return mode === undefined
    ? exchange.header('accept')?.includes('text/html') === true
    : mode === 'navigate' && exchange.header('sec-fetch-dest') !== 'object'
}

function idOf(exchange: Exchange): string | undefined {
  const cookie = readBoundCookie(exchange)
  return typeof cookie === 'string' ? undefined : cookie.id
}

function proofOf(exchange: Exchange, key: BoundRecord['key']): ReturnType<typeof readProof> {
  if (exchange.headerCount('postern-bind-proof') !== 1) return undefined
  return readProof(exchange.header('postern-bind-proof') ?? '', key, 'postern-bind+jwt')
}

/** Path and query of a `Referer` of this origin. */
function backOf(exchange: Exchange): string {
  const from = exchange.header('referer') ?? ''
  if (!URL.canParse(from)) return '/'
  const { host, pathname, search } = new URL(from)
  const isPath = host === exchange.host && !pathname.startsWith('//')
  return isPath ? `${pathname}${search}` : '/'
}
