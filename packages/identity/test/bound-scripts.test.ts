import assert from 'node:assert/strict'
import { sign } from 'node:crypto'
import { describe, test } from 'node:test'
import { Script } from 'node:vm'
import { type BoundSessionsOptions, memoryBoundStore } from '../src/bind-entry.ts'
import { type Answer, Browser, SID, World } from './bound-world.ts'
import { part, type Signer, signer } from './verify-harness.ts'

const NAVIGATION = [
  'sec-fetch-mode',
  'navigate',
  'sec-fetch-dest',
  'document',
  'sec-fetch-site',
  'same-origin',
]
const FETCH = ['sec-fetch-mode', 'cors', 'sec-fetch-dest', 'empty', 'sec-fetch-site', 'same-origin']
const COOKIE = '__Host-postern-bound'
const OWN = 'connect.sid=s%3Aabc.sig'

/** A browser that knows no device-bound sessions, with the script and its key. */
class ScriptBrowser extends Browser {
  async state(): Promise<Readonly<Record<string, string>>> {
    return JSON.parse((await this.ask('state')).body)
  }

  ask(wish: string, proof?: string): Promise<Answer> {
    const headers = [...this.cookie(), ...FETCH, 'postern-bind', wish]
    if (proof !== undefined) headers.push('postern-bind-proof', proof)
    return this.world.send('/.postern/bind/script', headers, 'POST')
  }

  signed(challenge: string, header: object = {}): string {
    const text = `${part({ alg: 'ES256', typ: 'postern-bind+jwt', ...header })}.${part({ jti: challenge })}`
    const signature = sign('sha256', Buffer.from(text), {
      key: this.key.privateKey,
      dsaEncoding: 'ieee-p1363',
    })
    return `${text}.${signature.toString('base64url')}`
  }

  async registerKey(): Promise<Answer> {
    const { challenge = '' } = await this.state()
    return this.take(await this.ask('register', this.signed(challenge, { jwk: this.key.jwk })))
  }

  async renew(): Promise<Answer> {
    const { challenge = '' } = await this.state()
    return this.take(await this.ask('renew', this.signed(challenge)))
  }

  async navigate(target = '/', method = 'GET'): Promise<Answer> {
    return this.take(await this.world.send(target, [...this.cookie(), ...NAVIGATION], method))
  }

  async fetch(target = '/api'): Promise<Answer> {
    return this.take(await this.world.send(target, [...this.cookie(), ...FETCH]))
  }

  /** Its cookies on another machine. */
  copy(key: Signer = signer('thief')): ScriptBrowser {
    const thief = new ScriptBrowser(this.world, key)
    for (const [name, entry] of this.jar) thief.jar.set(name, { ...entry, until: Number.POSITIVE_INFINITY })
    return thief
  }
}

async function atSignIn(
  options: Partial<BoundSessionsOptions> = {},
  line = SID,
): Promise<{ world: World; browser: ScriptBrowser }> {
  const world = new World({ withoutDbsc: 'webcrypto', ...options })
  const browser = new ScriptBrowser(world)
  world.setCookie = [line]
  await browser.go('/login')
  world.setCookie = []
  return { world, browser }
}

async function signedIn(
  options: Partial<BoundSessionsOptions> = {},
  line = SID,
): Promise<{ world: World; browser: ScriptBrowser }> {
  const { world, browser } = await atSignIn(options, line)
  assert.equal((await browser.registerKey()).status, 200)
  assert.equal((await browser.fetch()).cookie, OWN)
  return { world, browser }
}

const isPage = ({ headers, body }: Answer): boolean =>
  headers.includes('text/html; charset=utf-8') && body.includes('/.postern/bind/session.js')

describe('a session bound to a key that a script keeps', () => {
  test('the first page after a sign-in registers the key, and then the application has its page', async () => {
    const { browser } = await atSignIn()
    const page = await browser.navigate('/home?tab=1')
    assert.equal(page.status, 200)
    assert.ok(isPage(page))
    assert.match(page.body, /data-then="reload"/)
    assert.equal((await browser.state())['state'], 'open')
    assert.equal((await browser.registerKey()).status, 200)
    assert.equal((await browser.navigate('/home?tab=1')).cookie, OWN)
    assert.equal((await browser.state())['state'], 'script')
  })

  test('a copied cookie is worth nothing after the interval, and the owner renews it', async () => {
    const { world, browser } = await signedIn()
    const thief = browser.copy()
    assert.equal((await thief.fetch()).cookie, OWN, 'until then it is the same cookie')
    world.clock.advance(301_000)
    assert.equal((await thief.fetch()).status, 401)
    assert.equal((await thief.renew()).status, 403)
    assert.ok(isPage(await thief.navigate()))
    assert.equal((await thief.registerKey()).status, 403)
    assert.ok(world.events.some(({ type }) => type === 'session.stale'))
    assert.equal((await browser.renew()).status, 200)
    assert.equal((await browser.fetch()).cookie, OWN)
    assert.equal((await thief.fetch()).status, 401)
  })

  test('a cookie that was replaced long ago is reported whenever it is used', async () => {
    const { world, browser } = await signedIn()
    const thief = browser.copy()
    for (let renewals = 0; renewals < 4; renewals++) {
      world.clock.advance(301_000)
      assert.equal((await browser.renew()).status, 200)
      assert.equal((await browser.fetch()).cookie, OWN)
      world.events.length = 0
      assert.equal((await thief.fetch()).status, 401)
      assert.deepEqual(
        world.events.map(({ type }) => type),
        ['session.stale'],
      )
    }
  })

  test('a thief who says that the browser has no device-bound sessions gets nothing of one that is bound by the browser', async () => {
    const { world, browser } = await atSignIn()
    assert.equal((await browser.register()).status, 200)
    await browser.fetch()
    assert.equal((await browser.state())['state'], 'device')
    const thief = browser.copy()
    assert.equal((await thief.registerKey()).status, 403)
    assert.equal((await thief.renew()).status, 403)
    world.clock.advance(301_000)
    assert.equal((await thief.registerKey()).status, 403)
    assert.equal((await thief.navigate()).cookie, undefined)
    await thief.world.send('/.postern/bind/without-key', [...thief.cookie(), ...NAVIGATION], 'POST')
    assert.equal((await thief.fetch()).cookie, undefined)
  })

  test('a session for which no key is registered ends after the interval, whatever the backend sets', async () => {
    const { world, browser } = await atSignIn({}, `${SID}; Max-Age=86400`)
    world.setCookie = [`${SID}; Max-Age=864000`]
    for (let i = 0; i < 4; i++) {
      world.clock.advance(60_000)
      assert.equal((await browser.fetch()).cookie, OWN)
    }
    world.setCookie = []
    world.clock.advance(61_000)
    assert.equal((await browser.fetch()).cookie, undefined)
    assert.equal((await browser.state())['state'], 'none')
    assert.equal((await browser.registerKey()).status, 403)
  })

  test('once its owner came with the value given for the key, nobody registers another', async () => {
    const { browser } = await signedIn()
    const thief = browser.copy()
    const { challenge = '' } = await thief.state()
    assert.equal((await thief.ask('register', thief.signed(challenge, { jwk: thief.key.jwk }))).status, 403)
  })

  test('a challenge counts once, for its session, for five minutes, and for a script', async () => {
    const { world, browser } = await signedIn()
    const { challenge = '' } = await browser.state()
    assert.equal((await browser.ask('renew', browser.signed(challenge))).status, 200)
    assert.equal((await browser.ask('renew', browser.signed(challenge))).status, 403)
    const old = (await browser.state())['challenge'] ?? ''
    world.clock.advance(300_001)
    assert.equal((await browser.ask('renew', browser.signed(old))).status, 403)
    const other = (await (await signedIn()).browser.state())['challenge'] ?? ''
    assert.equal((await browser.ask('renew', browser.signed(other))).status, 403)
    const fresh = (await browser.state())['challenge'] ?? ''
    assert.equal((await browser.ask('renew', browser.proof(fresh))).status, 403, 'a proof of a browser')
    assert.equal((await browser.ask('renew')).status, 403)
  })

  test("the browser's own endpoint renews no session of a script", async () => {
    const { browser } = await signedIn()
    browser.session = (await browser.state())['session']
    assert.match(await browser.askChallenge(), /"continue":false/)
  })

  test('a lost answer to the registration: the script has the key, and comes again with it', async () => {
    const { world, browser } = await atSignIn()
    const before = new Map(browser.jar)
    await browser.registerKey()
    browser.jar.clear()
    for (const [name, entry] of before) browser.jar.set(name, entry)
    assert.ok(isPage(await browser.navigate()), 'the page asks again')
    assert.equal((await browser.registerKey()).status, 200)
    world.clock.advance(31_000)
    assert.equal((await browser.fetch()).cookie, OWN)
  })

  test('a lost answer to a renewal, and an answer that came too late, are made good by the next', async () => {
    const { world, browser } = await signedIn()
    const { challenge = '' } = await browser.state()
    await browser.ask('renew', browser.signed(challenge))
    world.clock.advance(31_000)
    assert.equal((await browser.fetch()).status, 401, 'the value before the last one has run out')
    assert.equal((await browser.renew()).status, 200)
    await browser.ask('renew', browser.signed((await browser.state())['challenge'] ?? ''))
    await browser.ask('renew', browser.signed((await browser.state())['challenge'] ?? ''))
    assert.ok(isPage(await browser.navigate()), 'a value from before the last two: the key still proves it')
    assert.equal((await browser.renew()).status, 200)
    assert.equal((await browser.fetch()).cookie, OWN)
  })

  test('several tabs without locks renew at once, and all have a session afterwards', async () => {
    const { world, browser } = await signedIn()
    world.clock.advance(301_000)
    const states = await Promise.all([1, 2, 3].map(() => browser.state()))
    const answers = await Promise.all(
      states.map(({ challenge = '' }) => browser.ask('renew', browser.signed(challenge))),
    )
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
    )
    // The last but one arrives last.
    browser.take(answers[1] as Answer)
    assert.equal((await browser.fetch()).cookie, OWN)
  })

  test('what comes with a cookie that has run out: pages renew, calls are refused, what is sent is not repeated, pictures are nobody', async () => {
    const { world, browser } = await signedIn()
    world.clock.advance(301_000)
    const page = await browser.navigate('/orders')
    assert.ok(isPage(page) && page.status === 200)
    const call = await browser.fetch()
    assert.equal(call.status, 401)
    assert.equal(call.headers[call.headers.indexOf('Postern-Bind') + 1], 'renew')
    const sent = await browser.navigate('/orders', 'POST')
    assert.ok(isPage(sent) && sent.status === 401)
    assert.match(sent.body, /data-then="stay"/)
    assert.match(sent.body, /send it again/)
    const image = await world.send('/a.png', [...browser.cookie(), 'sec-fetch-dest', 'image'])
    assert.equal(image.status, 200)
    assert.equal(image.cookie, undefined)
    const bare = await world.send('/api', browser.cookie())
    assert.equal(bare.status, 401, 'without Fetch Metadata')
    assert.ok(isPage(await world.send('/', [...browser.cookie(), 'accept', 'text/html'])))
  })

  test('a browser that cannot keep a key stays signed in for the interval, and is not asked again', async () => {
    const { world, browser } = await atSignIn()
    const post = (...headers: string[]): Promise<Answer> =>
      world.send('/.postern/bind/without-key', [...browser.cookie(), ...headers], 'POST')
    await post('sec-fetch-site', 'cross-site')
    assert.ok(isPage(await browser.navigate()), 'another site cannot say so')
    const answer = await post('sec-fetch-site', 'same-origin', 'referer', 'https://shop.example/a?b=c')
    assert.equal(answer.status, 303)
    assert.equal(answer.headers[answer.headers.indexOf('Location') + 1], '/a?b=c')
    assert.equal((await browser.navigate()).cookie, OWN)
    for (const from of ['https://evil.example/a', 'https://shop.example//evil.example/', 'nonsense']) {
      const { headers } = await post('referer', from)
      assert.equal(headers[headers.indexOf('Location') + 1], '/')
    }
    world.clock.advance(301_000)
    assert.equal((await browser.fetch()).cookie, undefined)
  })

  test('the script takes a cookie away whose key it does not have; another site cannot', async () => {
    const { world, browser } = await signedIn()
    const thief = browser.copy()
    thief.take(await thief.ask('forget'))
    assert.equal(thief.jar.size, 0)
    assert.equal((await browser.fetch()).cookie, OWN, 'the session goes on where its key is')
    const foreign = await world.send('/.postern/bind/script', browser.cookie(), 'POST')
    assert.equal(foreign.status, 400)
    assert.deepEqual(
      foreign.headers.filter(name => name === 'Set-Cookie'),
      [],
    )
  })

  test('sign-out ends it: for the owner, for copies, and for the key', async () => {
    const { world, browser } = await signedIn()
    const thief = browser.copy()
    world.setCookie = ['connect.sid=; Path=/; Max-Age=0']
    await browser.fetch('/logout')
    world.setCookie = []
    assert.equal(browser.jar.size, 0)
    assert.equal((await thief.fetch()).cookie, undefined)
    assert.equal((await thief.state())['state'], 'none')
    const again = browser.copy(browser.key)
    again.jar.set(COOKIE, thief.jar.get(COOKIE) ?? assert.fail())
    assert.equal((await again.renew()).status, 403)
  })

  test("the browser's own registration takes the place of a script's within ten seconds, and of none later", async () => {
    const { world, browser } = await signedIn()
    assert.equal((await browser.register()).status, 200)
    assert.equal((await browser.fetch()).cookie, OWN)
    assert.equal((await browser.state())['state'], 'device')
    const late = await signedIn()
    late.world.clock.advance(10_001)
    assert.equal((await late.browser.register()).status, 403)
    // Its own registration is answered, and the answer not there yet: the script leaves it alone.
    const racing = await atSignIn()
    await racing.world.send(
      '/.postern/bind/register',
      [
        ...racing.browser.cookie(),
        'secure-session-response',
        racing.browser.proof(racing.browser.challenge ?? '', { jwk: racing.browser.key.jwk }),
      ],
      'POST',
    )
    assert.equal((await racing.browser.state())['state'], 'device')
    world.clock.advance(1)
  })

  test('without the choice there is no script, and nobody is shown a page', async () => {
    const { world, browser } = await atSignIn({ withoutDbsc: 'unchanged' })
    assert.equal((await browser.navigate()).cookie, OWN)
    assert.equal((await world.send('/.postern/bind/session.js', [])).body, '')
  })

  test('the script is one that any browser can load, kept until it changes', async () => {
    const { world } = await atSignIn()
    const { status, headers, body } = await world.send('/.postern/bind/session.js', [])
    assert.equal(status, 200)
    assert.doesNotThrow(() => new Script(body))
    assert.ok(body.length < 30_000, `${body.length} characters`)
    assert.equal(headers[headers.indexOf('Service-Worker-Allowed') + 1], '/')
    const tag = headers[headers.indexOf('ETag') + 1] ?? ''
    assert.equal((await world.send('/.postern/bind/session.js', ['if-none-match', tag])).status, 304)
  })
})

describe('bound sessions in a store that answers later', () => {
  const later = (world: () => World): BoundSessionsOptions['store'] => {
    let inner: ReturnType<typeof memoryBoundStore> | undefined
    return {
      name: 'later',
      update: async (key, step) => {
        inner ??= memoryBoundStore(world().clock)
        await Promise.resolve()
        return inner.update(key, step)
      },
    }
  }

  for (const withoutDbsc of ['unchanged', 'webcrypto'] as const)
    test(`${withoutDbsc}: the backend's cookie never reaches a browser that already has other cookies`, async () => {
      const holder: { world?: World } = {}
      const world = new World({
        withoutDbsc,
        store: later(() => holder.world ?? assert.fail()) ?? assert.fail(),
      })
      holder.world = world
      const browser = new ScriptBrowser(world)
      browser.jar.set('theme', { value: 'dark', until: Number.POSITIVE_INFINITY })
      world.setCookie = ['connect.sid=anonymous; Path=/']
      await browser.go('/')
      world.setCookie = [SID]
      await browser.go('/login')
      world.setCookie = []
      assert.deepEqual([...browser.jar.keys()], ['theme', COOKIE])
      assert.equal((await browser.fetch()).cookie, `theme=dark; ${OWN}`)
    })
})

test("the browser's cookie keeps the SameSite of the backend's when it is renewed", async () => {
  for (const sameSite of ['Strict', 'None', 'Lax']) {
    const { browser } = await atSignIn({}, `${SID}; Secure; SameSite=${sameSite}`)
    const answer = await browser.register()
    assert.match(
      answer.headers[answer.headers.indexOf('Set-Cookie') + 1] ?? '',
      new RegExp(`SameSite=${sameSite};`),
    )
    assert.match(answer.body, new RegExp(`SameSite=${sameSite};`))
  }
})
