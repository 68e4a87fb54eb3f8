import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ALLOW, type Decision, Engine, type Exchange, VirtualClock } from '@postern/core'
import { NO_SESSION } from '../src/bind/bound-record.ts'
import { memoryBoundStore } from '../src/bind-entry.ts'
import { Browser, SID, signedIn, World } from './bound-world.ts'
import { signer } from './verify-harness.ts'

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

  for (const [name, line, seconds] of [
    ['a month', 'Max-Age=2592000', 2_592_000],
    ['more than any browser keeps it', `Max-Age=${'9'.repeat(400)}`, 34_560_000],
  ] as const)
    test(`a browser without support keeps a session of ${name}`, async () => {
      const world = new World()
      const browser = new Browser(world)
      world.setCookie = [`${SID}; ${line}`]
      await browser.go('/login')
      world.setCookie = []
      world.clock.advance((seconds - 60) * 1_000)
      assert.equal((await browser.go()).cookie, 'connect.sid=s%3Aabc.sig')
      world.clock.advance(120_000)
      assert.equal((await browser.go()).cookie, undefined)
      assert.equal((await browser.stolen().go()).cookie, undefined, 'nor does the store keep it longer')
    })

  test('a browser without support stays signed in while a backend prolongs the session with every answer', async () => {
    for (const [age, step] of [
      [1_800, 600],
      [90, 40],
    ] as const) {
      const world = new World()
      const browser = new Browser(world)
      world.setCookie = [`${SID}; Max-Age=${age}`]
      await browser.go('/login')
      for (let i = 0; i < 20; i++) {
        world.clock.advance(step * 1_000)
        assert.equal((await browser.go()).cookie, 'connect.sid=s%3Aabc.sig', `${age} s, answer ${i}`)
      }
      world.clock.advance((age + 1) * 1_000)
      assert.equal((await browser.go()).cookie, undefined)
    }
  })

  test('a backend that gives the same session less time is followed', async () => {
    const world = new World()
    const browser = new Browser(world)
    world.setCookie = [`${SID}; Max-Age=86400`]
    await browser.go('/login')
    const copy = browser.stolen()
    world.setCookie = [`${SID}; Max-Age=600`]
    await browser.go()
    world.setCookie = []
    world.clock.advance(601_000)
    assert.equal((await browser.go()).cookie, undefined)
    assert.equal((await copy.go()).cookie, undefined)
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

  test('attack: a planted cookie that a guard before it took out of the request does not come back', async () => {
    const planted = '\u00a0__Host-sid=evil'
    const clean = (exchange: Exchange): Decision => {
      const rest = exchange.header('cookie')?.replace(planted, '')
      exchange.setRequestHeader('cookie', rest)
      return ALLOW
    }
    const world = new World({ cookie: '__Host-sid' })
    const engine = new Engine({
      guards: [{ name: 'clean', failure: 'closed', decide: clean }, world.bound],
      clock: world.clock,
    })
    const exchange = engine.open({
      method: 'GET',
      target: '/',
      headers: ['host', 'shop.example', 'cookie', `__Host-sid=own; a=1;${planted}`],
      peer: '192.0.2.1',
      secure: true,
      httpVersion: '1.1',
      native: undefined,
      body: undefined,
    })
    assert.equal((await engine.decide(exchange)).effect, 'allow')
    assert.equal(exchange.requestChanges?.get('cookie'), 'a=1; __Host-sid=own')
  })

  test("attack: the backend's bare cookie stays worth nothing for as long as its session is prolonged", async () => {
    for (const isBound of [true, false]) {
      const world = new World()
      const browser = new Browser(world)
      world.setCookie = [`${SID}; Max-Age=1800`]
      await browser.go('/login')
      if (isBound) await browser.register()
      for (let i = 0; i < 20; i++) {
        world.clock.advance(240_000)
        if (isBound) await browser.refresh()
        await browser.go()
      }
      world.setCookie = []
      assert.equal((await browser.go()).cookie, 'connect.sid=s%3Aabc.sig')
      assert.equal((await world.send('/', ['cookie', 'connect.sid=s%3Aabc.sig'])).cookie, undefined)
    }
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

  test('in memory the session used longest ago makes room: those of strangers sign nobody out who is there', () => {
    const store = memoryBoundStore(new VirtualClock())
    const record = { ...NO_SESSION, sealed: 'x', until: Number.MAX_SAFE_INTEGER }
    const keep = (key: string) => store.update(key, () => ({ record, result: undefined }))
    const has = (key: string) => store.update(key, ({ sealed }) => ({ result: sealed !== '' }))
    keep('idle')
    keep('used')
    for (let i = 0; i < 99_998; i++) keep(`stranger ${i}`)
    // Looked at, not changed, as most requests do.
    assert.equal(has('used'), true)
    for (let i = 0; i < 99_998; i++) keep(`another ${i}`)
    assert.equal(has('used'), true)
    assert.equal(has('idle'), false)
  })

  test('what cannot be configured is said', () => {
    for (const options of [{ cookie: 'a b' }, { cookie: '' }, { interval: '10s' }, { interval: 'soon' }])
      assert.throws(() => new World(options), { code: 'POSTERN_CONFIG' })
  })
})
