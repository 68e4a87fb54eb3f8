import assert from 'node:assert/strict'
import { sign } from 'node:crypto'
import { describe, test } from 'node:test'
import { Engine, type Event, HeaderListHead, VirtualClock } from '@postern/core'
import { BoundSessions, type BoundSessionsOptions, memoryBoundStore } from '../src/index.ts'
import { SECRET, seededRandom } from './login-harness.ts'
import { part, type Signer, signer } from './verify-harness.ts'

interface Answer {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: string
  /** What the backend got as cookie. */
  readonly cookie: string | undefined
}

/** A backend with sessions of its own, behind bound sessions. */
class World {
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
class Browser {
  readonly jar = new Map<string, { value: string; until: number }>()
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

const SID = 'connect.sid=s%3Aabc.sig; Path=/; HttpOnly'

/** A browser that signed in and registered its key. */
async function signedIn(
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

describe('a session of a backend that was never written for it', () => {
  test("never gives the backend's cookie to the browser, and hands it to the backend", async () => {
    const { browser } = await signedIn()
    assert.deepEqual([...browser.jar.keys()], ['__Host-postern-bound'])
    assert.doesNotMatch(JSON.stringify([...browser.jar]), /abc/)
    assert.equal((await browser.go()).cookie, 'connect.sid=s%3Aabc.sig')
  })

  test('a cookie copied to another machine is refused after the interval, and the owner notices nothing', async () => {
    const { world, browser } = await signedIn()
    await browser.go()
    const thief = browser.stolen()
    assert.equal((await thief.go()).cookie, 'connect.sid=s%3Aabc.sig', 'until then it is the same cookie')
    world.clock.advance(301_000)
    assert.equal((await thief.go()).cookie, undefined)
    assert.deepEqual(browser.cookie(), [], 'the browser knows that it has to refresh')
    assert.equal((await browser.refresh()).status, 200)
    assert.equal((await browser.go()).cookie, 'connect.sid=s%3Aabc.sig')
    assert.equal((await thief.refresh()).status, 403)
    assert.equal((await thief.go()).cookie, undefined)
    assert.ok(world.events.some(({ type }) => type === 'session.stale'))
  })

  test('a refresh of the owner ends a copy half a minute later, and requests under way with the old value pass until then', async () => {
    const { world, browser } = await signedIn()
    await browser.go()
    const before = browser.stolen()
    await browser.refresh()
    await browser.go()
    assert.equal((await before.go()).cookie, 'connect.sid=s%3Aabc.sig')
    world.clock.advance(31_000)
    assert.equal((await before.go()).cookie, undefined)
    assert.equal((await browser.go()).cookie, 'connect.sid=s%3Aabc.sig')
  })

  test('whoever copied the cookie cannot register another key, nor answer for the first', async () => {
    const { browser } = await signedIn()
    await browser.go()
    const thief = browser.stolen()
    thief.challenge = await thief.askChallenge()
    thief.path = '/.postern/bind/register'
    assert.equal((await thief.register()).status, 403)
    assert.equal((await thief.answerChallenge(thief.challenge)).status, 403)
  })

  test('an answer counts once, for one session, for five minutes', async () => {
    const { world, browser } = await signedIn()
    const challenge = await browser.askChallenge()
    assert.equal((await browser.answerChallenge(challenge)).status, 200)
    assert.equal((await browser.answerChallenge(challenge)).status, 403)
    const old = await browser.askChallenge()
    world.clock.advance(300_001)
    assert.equal((await browser.answerChallenge(old)).status, 403)
    const other = await signedIn()
    assert.equal((await browser.answerChallenge(await other.browser.askChallenge())).status, 403)
    assert.equal((await browser.answerChallenge('made.up')).status, 403)
  })

  test('several tabs that refresh at once all have a session afterwards', async () => {
    const { world, browser } = await signedIn()
    world.clock.advance(301_000)
    const challenges = await Promise.all([
      browser.askChallenge(),
      browser.askChallenge(),
      browser.askChallenge(),
    ])
    const answers = await Promise.all(challenges.map(one => browser.answerChallenge(one)))
    const distinct = new Set(challenges).size
    assert.equal(answers.filter(({ status }) => status === 200).length, distinct)
    const last = answers.findLast(({ status }) => status === 200)
    browser.take(last ?? assert.fail())
    assert.equal((await browser.go()).cookie, 'connect.sid=s%3Aabc.sig')
  })

  test('a lost answer to a refresh is made good by the next refresh', async () => {
    const { world, browser } = await signedIn()
    world.clock.advance(301_000)
    await browser.answerChallenge(await browser.askChallenge())
    world.clock.advance(1_000)
    assert.equal((await browser.refresh()).status, 200)
    assert.equal((await browser.go()).cookie, 'connect.sid=s%3Aabc.sig')
  })

  test('a lost answer to the registration signs nobody out', async () => {
    const world = new World()
    const browser = new Browser(world)
    world.setCookie = [SID]
    await browser.go('/login')
    world.setCookie = []
    const before = new Map(browser.jar)
    await browser.register()
    browser.jar.clear()
    for (const [name, entry] of before) browser.jar.set(name, entry)
    world.clock.advance(3_600_000)
    assert.equal((await browser.go()).cookie, 'connect.sid=s%3Aabc.sig')
  })

  test('sign-out ends it: for the owner, for copies, and for the key', async () => {
    const { world, browser } = await signedIn()
    await browser.go()
    const thief = browser.stolen()
    world.setCookie = ['connect.sid=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT']
    await browser.go('/logout')
    world.setCookie = []
    assert.equal(browser.jar.size, 0)
    assert.equal((await thief.go()).cookie, undefined)
    assert.match(await browser.askChallenge(), /"continue":false/)
  })

  test("bug class: session fixation: a sign-in that changes the backend's cookie is a new session, and what was planted before is not it", async () => {
    const world = new World()
    const attacker = new Browser(world)
    world.setCookie = ['connect.sid=anonymous; Path=/']
    await attacker.go()
    const victim = new Browser(world)
    for (const [name, entry] of attacker.jar) victim.jar.set(name, entry)
    world.setCookie = ['connect.sid=authenticated; Path=/']
    await victim.go('/login')
    world.setCookie = []
    assert.equal((await victim.go()).cookie, 'connect.sid=authenticated')
    assert.equal((await attacker.go()).cookie, 'connect.sid=anonymous')
    world.clock.advance(31_000)
    assert.equal((await attacker.go()).cookie, undefined)
  })

  test('a backend that sets its cookie again with every answer changes nothing', async () => {
    const { world, browser } = await signedIn()
    world.setCookie = [SID, 'theme=dark; Path=/']
    const before = browser.jar.get('__Host-postern-bound')?.value
    for (let i = 0; i < 5; i++)
      assert.equal((await browser.go()).cookie?.includes('connect.sid=s%3Aabc.sig'), true)
    assert.equal(browser.jar.get('__Host-postern-bound')?.value, before)
    assert.equal(browser.jar.get('theme')?.value, 'dark')
  })

  test('a browser without support keeps its session as long as the backend intended', async () => {
    const world = new World()
    const browser = new Browser(world)
    world.setCookie = [`${SID}; Max-Age=86400`]
    await browser.go('/login')
    world.setCookie = []
    world.clock.advance(86_000_000)
    assert.equal((await browser.go()).cookie, 'connect.sid=s%3Aabc.sig')
    world.clock.advance(1_000_000)
    assert.equal((await browser.go()).cookie, undefined)
  })

  test("the backend's bare cookie: taken over from before, and worth nothing once it is bound", async () => {
    const world = new World()
    const browser = new Browser(world)
    browser.jar.set('connect.sid', { value: 'old', until: Number.POSITIVE_INFINITY })
    assert.equal((await browser.go()).cookie, 'connect.sid=old')
    assert.deepEqual([...browser.jar.keys()], ['__Host-postern-bound'])
    assert.equal((await browser.go()).cookie, 'connect.sid=old')
    assert.equal((await world.send('/', ['cookie', 'connect.sid=old'])).cookie, undefined)
    const strict = new World({ existing: 'refuse' })
    assert.equal((await strict.send('/', ['cookie', 'a=b; connect.sid=old'])).cookie, 'a=b')
  })

  test('two bound cookies, a forged one, or one next to the bare cookie are nobody', async () => {
    const { world, browser } = await signedIn()
    const value = browser.jar.get('__Host-postern-bound')?.value ?? ''
    const forged = `${value.slice(0, 22)}.${'A'.repeat(43)}`
    const cookie = async (text: string): Promise<string | undefined> =>
      (await world.send('/', ['cookie', text])).cookie
    assert.equal(await cookie(`__Host-postern-bound=${value}`), 'connect.sid=s%3Aabc.sig')
    assert.equal(await cookie(`__Host-postern-bound=${value}; __Host-postern-bound=${forged}`), undefined)
    assert.equal(await cookie(`__Host-postern-bound=${forged}`), undefined)
    assert.equal(await cookie(`postern-bound=${value}`), undefined)
    assert.equal(
      await cookie(`__Host-postern-bound=${value}; connect.sid=planted`),
      'connect.sid=s%3Aabc.sig',
    )
    assert.equal(await cookie('__Host-postern-bound=; connect.sid=planted'), undefined)
  })

  test('proofs of another type, without a signature, or by a weak key register nothing', async () => {
    const world = new World()
    const browser = new Browser(world)
    world.setCookie = [SID]
    await browser.go('/login')
    const challenge = browser.challenge ?? ''
    const good = browser.proof(challenge, { jwk: browser.key.jwk })
    const [head = '', payload = ''] = good.split('.')
    const proofs = [
      `${head}.${payload}.`,
      browser.proof(challenge, { jwk: browser.key.jwk, typ: 'JWT' }),
      browser.proof(challenge, { jwk: browser.key.jwk, alg: 'none' }),
      browser.proof(challenge, { jwk: signer('other').jwk }),
      browser.proof(challenge, { jwk: { kty: 'oct', k: 'AAAA' } }),
      browser.proof(challenge),
      browser.proof('made up', { jwk: browser.key.jwk }),
    ]
    for (const proof of proofs)
      assert.notEqual(
        (
          await world.send(
            '/.postern/bind/register',
            [...browser.cookie(), 'secure-session-response', proof],
            'POST',
          )
        ).status,
        200,
      )
    assert.notEqual(
      (await world.send('/.postern/bind/register', ['secure-session-response', good], 'POST')).status,
      200,
      'without the cookie',
    )
  })

  test('the store holds no session of the backend in the clear', async () => {
    const kept: string[] = []
    const inner = memoryBoundStore(new VirtualClock())
    const { browser } = await signedIn({
      store: {
        name: 'spy',
        update: (key, step) =>
          inner.update(key, record => {
            const said = step(record)
            kept.push(key, JSON.stringify(said.record ?? {}))
            return said
          }),
      },
    })
    assert.ok(browser.session !== undefined)
    assert.doesNotMatch(kept.join(), /abc\.sig|s%3Aabc/)
  })

  test('what cannot be configured is said', () => {
    for (const options of [{ cookie: 'a b' }, { cookie: '' }, { interval: '10s' }, { interval: 'soon' }])
      assert.throws(() => new World(options), { code: 'POSTERN_CONFIG' })
  })
})
