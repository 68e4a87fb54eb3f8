import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { KNOWN_FOR } from '../src/login-defence/lane-rules.ts'
import { laneOf } from '../src/login-defence/lanes.ts'
import { NO_RECORD, readRecord, writeRecord } from '../src/login-defence/login-record.ts'
import { addressOf, cookiesOf, LoginWorld, type Reply } from './login-harness.ts'

const OWN = 'my own password'
const RIGHT = 'correct horse'
const login = (email: string, password: string): string => JSON.stringify({ email, password })

interface Mail {
  readonly account: string
  readonly url: string
}

/** An application in which these spellings are accounts of their own, all of them the attacker's but one. */
function exactShop(victim: string, mails: Mail[] = []): LoginWorld {
  return new LoginWorld(
    { 'POST /login': { login: { account: 'email' } } },
    body => {
      const { email, password } = JSON.parse(body) as Record<string, string>
      const isRight = password === (email === victim ? RIGHT : OWN)
      return isRight ? { status: 200, body: '{"token":"t"}' } : { status: 401, body: '{"error":"wrong"}' }
    },
    {
      proofOfWork: 'off',
      link: {
        origin: 'https://shop.example',
        send: async (account, url) => void mails.push({ account, url }),
      },
    },
  )
}

/** An attacker with one browser and as many addresses as wanted. */
class Attacker {
  readonly #shop: LoginWorld
  readonly #replies: Reply[] = []
  #count = 0
  /** Guesses that were checked. */
  checked = 0

  constructor(shop: LoginWorld) {
    this.#shop = shop
  }

  async signIn(spelling: string, browser: 'same browser' | 'new browser' = 'same browser'): Promise<void> {
    if (browser === 'new browser') this.#replies.length = 0
    this.#replies.push(await this.#try(spelling, OWN))
  }

  async guess(victim: string, times: number): Promise<void> {
    for (let i = 0; i < times; i++) if ((await this.#try(victim, 'guess')).handled) this.checked++
  }

  keep(reply: Reply): void {
    this.#replies.push(reply)
  }

  #try(email: string, password: string): Promise<Reply> {
    return this.#shop.send({
      body: login(email, password),
      address: addressOf(this.#count++),
      headers: { cookie: cookiesOf(...this.#replies) },
    })
  }
}

const ask = (shop: LoginWorld, account: string, address = '198.51.100.1'): Promise<Reply> =>
  shop.send({ path: '/.postern/login-link', body: JSON.stringify({ account }), address })
const open = (shop: LoginWorld, url: string): Promise<Reply> =>
  shop.send({
    path: '/.postern/login-link/open',
    body: JSON.stringify({ token: new URL(url).searchParams.get('token') }),
  })

for (const [victim, own] of [
  ['ann', 'Ann'],
  ['ann@example.com', 'ann@exämple.com'],
  ['jose', 'josé'],
  ['ann', 'ann '],
] as const)
  describe(`attack: who owns ${JSON.stringify(own)} guesses at ${JSON.stringify(victim)}`, () => {
    test('and signs in between, in the same browser', async () => {
      const shop = exactShop(victim)
      const attacker = new Attacker(shop)
      for (let i = 0; i < 20; i++) {
        await attacker.signIn(own)
        await attacker.guess(victim, 9)
      }
      assert.ok(attacker.checked <= 10, String(attacker.checked))
    })

    test('and signs in between, each time in a new browser', async () => {
      const shop = exactShop(victim)
      const attacker = new Attacker(shop)
      for (let i = 0; i < 20; i++) {
        await attacker.signIn(own, 'new browser')
        await attacker.guess(victim, 10)
      }
      assert.ok(attacker.checked <= 10, String(attacker.checked))
    })

    test('and opens links that are mailed for the own spelling', async () => {
      const mails: Mail[] = []
      const shop = exactShop(victim, mails)
      await shop.send({ body: login(victim, RIGHT), address: '203.0.113.5' })
      const attacker = new Attacker(shop)
      for (let i = 0; i < 20; i++) {
        await attacker.signIn(own)
        await ask(shop, own, addressOf(9_000 + i))
        const mail = mails.pop()
        if (mail !== undefined && mail.account !== victim) attacker.keep(await open(shop, mail.url))
        await attacker.guess(victim, 9)
        shop.clock.advance(7_200_000)
      }
      assert.ok(attacker.checked <= 100, String(attacker.checked))
    })

    test('for months: after 100 failures in a row no sign-in of theirs lets them go on', async () => {
      const shop = exactShop(victim)
      await shop.send({ body: login(victim, RIGHT), address: '203.0.113.5' })
      const attacker = new Attacker(shop)
      for (let i = 0; i < 60; i++) {
        await attacker.signIn(own, 'new browser')
        await attacker.guess(victim, 10)
        shop.clock.advance(KNOWN_FOR / 60)
      }
      assert.ok(attacker.checked <= 100, String(attacker.checked))
    })

    test('and makes nobody forget the browser of its owner', async () => {
      const shop = exactShop(victim)
      const first = await shop.send({ body: login(victim, RIGHT), address: '203.0.113.5' })
      const attacker = new Attacker(shop)
      for (let i = 0; i < 80; i++) {
        await attacker.signIn(own, 'new browser')
        shop.clock.advance(1_800_000)
      }
      await attacker.guess(victim, 200)
      const again = await shop.send({
        body: login(victim, RIGHT),
        address: '100.64.0.1',
        headers: { cookie: cookiesOf(first) },
      })
      assert.equal(again.handled, true)
    })

    test('and keeps its owner from no link by asking for others first', async () => {
      const mails: Mail[] = []
      const shop = exactShop(victim, mails)
      await shop.send({ body: login(victim, RIGHT), address: '203.0.113.5' })
      await new Attacker(shop).signIn(own)
      await ask(shop, own, '192.0.2.9')
      await ask(shop, victim.toUpperCase(), '192.0.2.10')
      mails.length = 0
      await ask(shop, victim)
      assert.deepEqual(
        mails.map(({ account }) => account),
        [victim],
      )
      await new Attacker(shop).guess(victim, 30)
      const opened = await open(shop, mails[0]?.url ?? '')
      const owner = await shop.send({
        body: login(victim, RIGHT),
        address: '100.64.0.1',
        headers: { cookie: cookiesOf(opened) },
      })
      assert.equal(owner.handled, true)
    })
  })

test('attack: who owns Ann guesses at ann as an application reads it, by spaces that it takes off', async () => {
  const shop = exactShop('ann')
  await shop.send({ body: login('ann', RIGHT), address: '203.0.113.5' })
  const attacker = new Attacker(shop)
  for (let i = 0; i < 60; i++) {
    await attacker.signIn('Ann', 'new browser')
    await attacker.guess(i % 2 === 0 ? 'ann ' : ' ann', 10)
    shop.clock.advance(43_200_000)
  }
  assert.ok(attacker.checked <= 100, String(attacker.checked))
})

test('attack: who owns Ann and never signs in opens links, and guesses at ann, who never does either', async () => {
  const mails: Mail[] = []
  const shop = exactShop('ann', mails)
  const attacker = new Attacker(shop)
  for (let i = 0; i < 12; i++) {
    await ask(shop, 'Ann', addressOf(9_000 + i))
    const mail = mails.pop()
    if (mail !== undefined) attacker.keep(await open(shop, mail.url))
    await attacker.guess('ann', 30)
    shop.clock.advance(7_200_000)
  }
  // What all unknown clients together have in a day: see `DEFAULT_LANES`.
  assert.ok(attacker.checked <= 58, String(attacker.checked))
})

test('attack: who owns forty spellings of a name pushes none of its owner out, and ends no count', async () => {
  const shop = exactShop('ann')
  const first = await shop.send({ body: login('ann', RIGHT), address: '203.0.113.5' })
  const attacker = new Attacker(shop)
  for (let i = 0; i < 40; i++) {
    await attacker.signIn(`ann${' '.repeat(i + 1)}`, 'new browser')
    shop.clock.advance(1_800_000)
  }
  for (let i = 0; i < 40; i++) {
    await attacker.signIn(`ann${' '.repeat(i + 1)}`, 'new browser')
    await attacker.guess('ann', 10)
    shop.clock.advance(43_200_000)
  }
  assert.ok(attacker.checked <= 100, String(attacker.checked))
  const again = await shop.send({
    body: login('ann', RIGHT),
    address: '100.64.0.1',
    headers: { cookie: cookiesOf(first) },
  })
  assert.equal(again.handled, true)
})

test('attack: who signed in with forty spellings first keeps the owner of another out of no link', async () => {
  const mails: Mail[] = []
  const shop = exactShop('ann', mails)
  const attacker = new Attacker(shop)
  for (let i = 0; i < 40; i++) {
    await attacker.signIn(`ann${' '.repeat(i + 1)}`, 'new browser')
    shop.clock.advance(1_800_000)
  }
  await shop.send({ body: login('ann', RIGHT), address: '203.0.113.5' })
  await attacker.guess('ann', 50)
  await ask(shop, 'ann')
  const opened = await open(shop, mails.at(-1)?.url ?? '')
  const owner = await shop.send({
    body: login('ann', RIGHT),
    address: '100.64.0.1',
    headers: { cookie: cookiesOf(opened) },
  })
  assert.equal(owner.handled, true)
})

test('attack: a name that stands in the request in two spellings makes no browser known', async () => {
  const shop = exactShop('ann')
  const send = (body: string, cookie: string, address: string): Promise<Reply> =>
    shop.send({ path: '/login?email=ann', body, address, headers: { cookie } })
  const first = await send(login('Ann', OWN), '', '192.0.2.1')
  let checked = 0
  for (let i = 0; i < 30; i++)
    if ((await send(login('Ann', 'guess'), cookiesOf(first), addressOf(i))).handled) checked++
  assert.ok(checked <= 10, String(checked))
})

describe('where letter case makes no other account', () => {
  const mails: Mail[] = []
  const shop = (): LoginWorld => {
    mails.length = 0
    return new LoginWorld(
      { 'POST /login': { login: { account: 'email' } } },
      body =>
        (JSON.parse(body) as Record<string, string>)['password'] === RIGHT
          ? { status: 200, body: '{"token":"t"}' }
          : { status: 401, body: '{"error":"wrong"}' },
      {
        proofOfWork: 'off',
        link: {
          origin: 'https://shop.example',
          send: async (account, url) => void mails.push({ account, url }),
        },
      },
    )
  }

  test('its owner is let in however the name is written', async () => {
    const at = shop()
    for (const name of ['ann@x.example', 'Ann@X.example', 'ANN@x.example ', 'änn@x.example'])
      assert.equal((await at.send({ body: login(name, RIGHT), address: '203.0.113.5' })).handled, true, name)
  })

  for (const [usual, written] of [
    ['ann@x.example', 'Ann@X.example'],
    ['Ann@X.example', 'ann@x.example'],
    ['josé', 'josé'],
  ] as const)
    test(`a link asked for as ${written} lets the owner of ${usual} in, as it was written then`, async () => {
      const at = shop()
      await at.send({ body: login(usual, RIGHT), address: '203.0.113.5' })
      await new Attacker(at).guess(usual.toUpperCase(), 200)
      await ask(at, written)
      const opened = await open(at, mails[0]?.url ?? '')
      const owner = await at.send({
        body: login(written, RIGHT),
        address: '100.64.0.1',
        headers: { cookie: cookiesOf(opened) },
      })
      assert.equal(owner.handled, true)
    })

  test('a mail goes to no address that only looks alike, unless somebody signed in with it', async () => {
    const at = shop()
    await at.send({ body: login('ann@example.com', RIGHT), address: '203.0.113.5' })
    await ask(at, 'ann@exämple.com')
    assert.deepEqual(
      mails.map(({ account }) => account),
      ['ann@example.com'],
    )
  })

  test('all spellings that nobody signed in with have one mail in two hours', async () => {
    const at = shop()
    for (let i = 0; i < 8; i++)
      await ask(at, `${'ann'.slice(0, i % 3).toUpperCase()}${'ann'.slice(i % 3)}@x.example`)
    assert.equal(mails.length, 1)
  })
})

test('a record of an older version keeps its devices and networks, under every spelling', () => {
  const now = 1_000
  const known = { fullAt: 0, failures: 0, seen: now }
  const { spellings: _, links: __, ...old } = NO_RECORD
  const record = readRecord(
    JSON.stringify({ ...old, devices: [{ id: 'd', ...known }], networks: [{ id: 'n', ...known }] }),
  )
  const client = { device: undefined, network: 'n', address: 'a', spelling: 'ann' }
  assert.equal(laneOf(record, { ...client, device: 'd' }, now), 'device')
  assert.equal(laneOf(readRecord(writeRecord(record)), client, now), 'network')
})
