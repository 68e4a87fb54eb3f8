import assert from 'node:assert/strict'
import { sign } from 'node:crypto'
import { Engine, type Event, HeaderListHead, VirtualClock } from '@postern/core'
import { BoundSessions, type BoundSessionsOptions } from '../src/bind-entry.ts'
import { SECRET, seededRandom } from './login-harness.ts'
import { part, type Signer, signer } from './verify-harness.ts'

export interface Answer {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: string
  /** What the backend got as cookie. */
  readonly cookie: string | undefined
}

/** A backend with sessions of its own, behind bound sessions. */
export class World {
  readonly clock: VirtualClock = new VirtualClock()
  readonly events: Event[] = []
  readonly bound: BoundSessions
  readonly engine: Engine
  /** What the backend adds to its next answers. */
  setCookie: readonly string[] = []

  constructor(options: Partial<BoundSessionsOptions> = {}) {
    this.bound = new BoundSessions({
      cookie: 'connect.sid',
      secret: SECRET,
      clock: this.clock,
      random: seededRandom('bound'),
      onEvent: event => this.events.push(event),
      ...options,
    })
    this.engine = new Engine({ guards: [this.bound], clock: this.clock })
  }

  async send(target: string, headers: readonly string[], method = 'GET'): Promise<Answer> {
    const exchange = this.engine.open({
      method,
      target,
      headers: ['host', 'shop.example', ...headers],
      peer: '192.0.2.1',
      secure: true,
      httpVersion: '1.1',
      native: undefined,
      body: undefined,
    })
    const decision = await this.engine.decide(exchange)
    assert.equal(decision.effect, 'allow')
    const own = decision.effect === 'allow' ? decision.answer : undefined
    if (own !== undefined)
      return {
        status: own.status,
        headers: [...own.headers, ...(exchange.replyHeaders ?? [])],
        body: String(own.body),
        cookie: undefined,
      }
    const changes = exchange.requestChanges
    const cookie = changes?.has('cookie') === true ? changes.get('cookie') : exchange.header('cookie')
    const list = this.setCookie.flatMap(line => ['Set-Cookie', line])
    this.engine.onAnswer(exchange, new HeaderListHead(200, list))
    return { status: 200, headers: list, body: '', cookie }
  }
}

/** As much of a browser as is needed: a jar with expiry, and a key for device-bound sessions. */
export class Browser {
  readonly jar: Map<string, { value: string; until: number }> = new Map()
  readonly key: Signer
  readonly world: World
  session: string | undefined
  challenge: string | undefined
  path: string | undefined

  constructor(world: World, key: Signer = signer('device')) {
    this.world = world
    this.key = key
  }

  cookie(): readonly string[] {
    const now = this.world.clock.now()
    const live = [...this.jar]
      .filter(([, { until }]) => until > now)
      .map(([name, { value }]) => `${name}=${value}`)
    return live.length === 0 ? [] : ['cookie', live.join('; ')]
  }

  /** A copy of the cookies on another machine, where the key is not. */
  stolen(): Browser {
    const thief = new Browser(this.world, signer('thief'))
    for (const [name, entry] of this.jar) thief.jar.set(name, { ...entry, until: Number.POSITIVE_INFINITY })
    thief.session = this.session
    return thief
  }

  async go(target = '/'): Promise<Answer> {
    return this.take(await this.world.send(target, this.cookie()))
  }

  take(answer: Answer): Answer {
    for (let i = 0; i < answer.headers.length; i += 2) {
      const value = answer.headers[i + 1] as string
      const name = answer.headers[i]?.toLowerCase()
      if (name === 'set-cookie') this.#store(value)
      if (name === 'secure-session-registration') {
        this.path = /path="([^"]+)"/.exec(value)?.[1]
        this.challenge = /challenge="([^"]+)"/.exec(value)?.[1]
      }
    }
    return answer
  }

  #store(line: string): void {
    const [pair = '', ...attributes] = line.split('; ')
    const equals = pair.indexOf('=')
    const age = attributes.find(one => one.startsWith('Max-Age='))
    const until =
      age === undefined ? Number.POSITIVE_INFINITY : this.world.clock.now() + Number(age.slice(8)) * 1_000
    if (until <= this.world.clock.now()) this.jar.delete(pair.slice(0, equals))
    else this.jar.set(pair.slice(0, equals), { value: pair.slice(equals + 1), until })
  }

  proof(challenge: string, header: object = {}): string {
    const signed = `${part({ alg: 'ES256', typ: 'dbsc+jwt', ...header })}.${part({ jti: challenge })}`
    const signature = sign('sha256', Buffer.from(signed), {
      key: this.key.privateKey,
      dsaEncoding: 'ieee-p1363',
    })
    return `${signed}.${signature.toString('base64url')}`
  }

  async register(): Promise<Answer> {
    const response = this.proof(this.challenge ?? '', { jwk: this.key.jwk })
    const answer = await this.world.send(
      this.path ?? '',
      [...this.cookie(), 'secure-session-response', response],
      'POST',
    )
    if (answer.status === 200)
      this.session = (JSON.parse(answer.body) as { session_identifier: string }).session_identifier
    return this.take(answer)
  }

  async askChallenge(): Promise<string> {
    const answer = await this.world.send(
      '/.postern/bind/refresh',
      [...this.cookie(), 'sec-secure-session-id', this.session ?? ''],
      'POST',
    )
    const at = answer.headers.indexOf('Secure-Session-Challenge')
    return /^"([^"]+)"/.exec(answer.headers[at + 1] ?? '')?.[1] ?? `status ${answer.status} ${answer.body}`
  }

  async answerChallenge(challenge: string): Promise<Answer> {
    return this.world.send(
      '/.postern/bind/refresh',
      [
        ...this.cookie(),
        'sec-secure-session-id',
        this.session ?? '',
        'secure-session-response',
        this.proof(challenge),
      ],
      'POST',
    )
  }

  async refresh(): Promise<Answer> {
    return this.take(await this.answerChallenge(await this.askChallenge()))
  }
}

/** What the backend sets at sign-in. */
export const SID = 'connect.sid=s%3Aabc.sig; Path=/; HttpOnly'

/** A browser that signed in and registered its key. */
export async function signedIn(
  options: Partial<BoundSessionsOptions> = {},
): Promise<{ world: World; browser: Browser }> {
  const world = new World(options)
  const browser = new Browser(world)
  world.setCookie = [SID]
  await browser.go('/login')
  world.setCookie = []
  assert.equal((await browser.register()).status, 200)
  return { world, browser }
}
