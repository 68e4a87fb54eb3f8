import { KeptError, type KeptSession, type PublicJwk, readKept, writeKept } from './kept-session.ts'

/**
 * What became of a session: `bound` to a key of this browser, by the script or by the browser itself
 * (`device`); `none` is there; `lost`, its key is not in this browser; `keyless`, this browser keeps no key;
 * `away`, the server did not answer.
 */
export type BoundState = 'bound' | 'device' | 'none' | 'lost' | 'keyless' | 'away'

/** What the server says of the session. */
interface ServerState {
  readonly state: 'none' | 'open' | 'script' | 'device'
  readonly session?: string
  readonly challenge?: string
  /** `x` of the registered key. */
  readonly key?: string
}

interface Surroundings {
  readonly navigator?: {
    readonly locks?: { request(name: string, run: () => Promise<BoundState>): Promise<BoundState> }
  }
}

const PATH = '/.postern/bind/script'
const HEADER = 'postern-bind'
const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const
/** Milliseconds for one request to the server. */
const DEADLINE = 10_000
/** What all tabs and the worker of an origin hear on. */
const CHANNEL = 'postern-bind'

/** Milliseconds until the cookie is renewed ahead of its end; negative when it should have been. */
function untilRenewal({ at, lifetime }: Pick<KeptSession, 'at' | 'lifetime'>, now: number): number {
  // A clock that was set back makes what is kept meaningless.
  if (now < at) return -1
  return at + lifetime - Math.min(60_000, lifetime / 3) - now
}

/** Keeps the session of this origin bound: one for a page, one for a service worker. */
export class SessionKeeper {
  /** What is known without asking the store; undefined before it was asked. */
  #memory: KeptSession | 'none' | undefined
  #underWay: Promise<BoundState> | undefined
  readonly #channel: InstanceType<typeof BroadcastChannel> | undefined

  constructor() {
    this.#channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel(CHANNEL) : undefined
    if (this.#channel !== undefined)
      this.#channel.onmessage = () => {
        this.#memory = undefined
      }
  }

  /** Whether a request may go now, must wait for the cookie, or it is not known yet. */
  standing(now: number = Date.now()): 'good' | 'soon' | 'over' | 'none' | 'unknown' {
    const kept = this.#memory
    if (kept === undefined) return 'unknown'
    if (kept === 'none') return 'none'
    if (untilRenewal(kept, now) > 0) return 'good'
    const { at, lifetime } = kept
    return now >= at && now < at + lifetime - Math.min(10_000, lifetime / 6) ? 'soon' : 'over'
  }

  /** Milliseconds until the cookie is renewed; undefined where there is nothing to renew. */
  untilRenewal(now: number = Date.now()): number | undefined {
    const kept = this.#memory
    return kept === undefined || kept === 'none' ? undefined : Math.max(0, untilRenewal(kept, now))
  }

  /** Reads what this browser keeps. @returns how a request stands then */
  async recall(): Promise<'good' | 'soon' | 'over' | 'none' | 'unknown'> {
    this.#remember(await readKept().catch(() => undefined))
    return this.standing()
  }

  /**
   * Registers a key for a session that has none, or renews the cookie of one that has. One at a time in this
   * browser where it has Web Locks; else the server bears several at once.
   * @param ask `always` asks the server even where the cookie is good by what is kept here
   */
  keep(ask: 'when-due' | 'always'): Promise<BoundState> {
    const { locks } = (globalThis as Surroundings).navigator ?? {}
    const run = (): Promise<BoundState> => this.#settle(ask)
    this.#underWay ??= (locks === undefined ? run() : locks.request(CHANNEL, run)).finally(() => {
      this.#underWay = undefined
    })
    return this.#underWay
  }

  /** Takes the cookie of a session away whose key this browser does not have. */
  async forget(): Promise<void> {
    await this.#write(undefined).catch(() => {})
    await send('forget').catch(() => {})
  }

  async #settle(ask: 'when-due' | 'always'): Promise<BoundState> {
    try {
      const kept = await readKept()
      this.#remember(kept)
      // Another tab was faster.
      if (ask === 'when-due' && this.standing() === 'good') return 'bound'
      // A second round for a challenge, or a key, that another tab without locks was faster with.
      const first = await this.#round(kept)
      const state = first === 'refused' ? await this.#round(await readKept()) : first
      return state === 'refused' ? 'lost' : state
    } catch (error) {
      return error instanceof KeptError ? 'keyless' : 'away'
    }
  }

  async #round(kept: KeptSession | undefined): Promise<BoundState | 'refused'> {
    const answer = await send('state')
    if (!answer.ok) return 'away'
    const { state, session = '', challenge = '', key } = (await answer.json()) as ServerState
    if (state === 'none' || state === 'device') {
      if (kept !== undefined) await this.#write(undefined)
      return state
    }
    if (state === 'open') {
      // Kept before it is registered: when the answer is lost, the key is not.
      const own = kept?.session === session ? kept : await newKey(session)
      return this.#sign('register', own, challenge)
    }
    return kept?.session === session && kept.jwk.x === key ? this.#sign('renew', kept, challenge) : 'refused'
  }

  async #sign(
    wish: 'register' | 'renew',
    kept: KeptSession,
    challenge: string,
  ): Promise<BoundState | 'refused'> {
    const proof = await proofOf(kept, challenge, wish)
    // By this machine's clock, from before the request: never later than what the server counts.
    const at = Date.now()
    const answer = await send(wish, proof)
    if (!answer.ok) return answer.status === 403 ? 'refused' : 'away'
    const { lifetime } = (await answer.json()) as { readonly lifetime: number }
    await this.#write({ ...kept, at, lifetime })
    return 'bound'
  }

  #remember(kept: KeptSession | undefined): void {
    this.#memory = kept === undefined || kept.lifetime === 0 ? 'none' : kept
  }

  async #write(kept: KeptSession | undefined): Promise<void> {
    await writeKept(kept)
    this.#remember(kept)
    this.#channel?.postMessage('changed')
  }
}

async function newKey(session: string): Promise<KeptSession> {
  // Absent on plain HTTP, but for loopback.
  const subtle = crypto.subtle as typeof crypto.subtle | undefined
  if (subtle === undefined) throw new KeptError('postern: this page is not a secure context')
  const pair = await subtle.generateKey(CURVE, false, ['sign', 'verify'])
  const { kty, crv, x, y } = await subtle.exportKey('jwk', pair.publicKey)
  const kept = { session, pair, jwk: { kty, crv, x, y } as PublicJwk, at: 0, lifetime: 0 }
  await writeKept(kept)
  return kept
}

/** A JWS (RFC 7515) over the challenge; with the public key where it is registered. */
async function proofOf(kept: KeptSession, challenge: string, wish: 'register' | 'renew'): Promise<string> {
  const header = { alg: 'ES256', typ: 'postern-bind+jwt', ...(wish === 'register' && { jwk: kept.jwk }) }
  const text = `${encoded(utf8(JSON.stringify(header)))}.${encoded(utf8(JSON.stringify({ jti: challenge })))}`
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' }
  const signature = await crypto.subtle.sign(algorithm, kept.pair.privateKey, utf8(text))
  return `${text}.${encoded(new Uint8Array(signature))}`
}

// Held, so that the requests of this file never wait for themselves.
const plainFetch: typeof fetch = globalThis.fetch.bind(globalThis)

function send(wish: string, proof?: string): Promise<Response> {
  return plainFetch(PATH, {
    method: 'POST',
    headers: { [HEADER]: wish, ...(proof !== undefined && { 'postern-bind-proof': proof }) },
    credentials: 'same-origin',
    redirect: 'error',
    cache: 'no-store',
    signal: AbortSignal.timeout(DEADLINE),
  })
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}

function encoded(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '')
}
