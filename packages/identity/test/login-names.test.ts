// The account that is counted is the one that the backend checks, wherever the request names it.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseEmail } from '../src/account/email.ts'
import { canonicalAccount } from '../src/login-defence/account-name.ts'
import { status } from '../src/login-entry.ts'
import { cookiesOf, LoginWorld } from './login-harness.ts'
import { PlainBrowser, signUp, startSite } from './site.ts'

const FORM = 'application/x-www-form-urlencoded'
const addressOf = (i: number): string => `198.51.${Math.floor(i / 250)}.${(i % 250) + 1}`

/** How many of forty guesses from forty addresses reach the backend. */
async function guess(
  world: LoginWorld,
  request: (i: number) => { readonly path?: string; readonly body: string; readonly type?: string },
): Promise<number> {
  let handled = 0
  for (let i = 0; i < 40; i++)
    if ((await world.send({ type: FORM, ...request(i), address: addressOf(i) })).handled) handled++
  return handled
}

const wrong = () => ({ status: 401 })
/** Without proof of work, which many decoys bring about before the lanes are empty. */
const LANES_ALONE = { proofOfWork: 'off' } as const

describe('built-in sign-in', () => {
  test('attack: one account is guessed at under as many spellings of its domain as there are guesses', async t => {
    const site = await startSite(t)
    await signUp(site, 'alice@shop.example')
    const spellings = [
      'alice@shop.example/1',
      'alice@shop.example?1',
      'alice@shop.example#1',
      'alice@sho%70.example',
      'alice@shop.example\\1',
      'alice@sh\top.example',
    ]
    const browser = new PlainBrowser(site.origin)
    for (const email of spellings) {
      const fields = { email, password: 'a quiet river' }
      assert.equal((await browser.post('/.postern/sign-in', fields)).status, 401, email)
      assert.equal(parseEmail(email), undefined, email)
    }
    for (const email of ['alice@shop\u3002example', 'ALICE@SHOP.EXAMPLE', 'alice@sh\u00adop.example'])
      assert.equal(canonicalAccount(email), canonicalAccount('alice@shop.example'), email)
    for (const email of ['alice@b\u00fccher.example', 'alice@xn--bcher-kva.example'])
      assert.equal(canonicalAccount(email), 'alice@bucher.example')
  })
})

describe('an account that a database finds by a name like it', () => {
  test('attack: accents and strokes make no account of their own', async () => {
    const shop = new LoginWorld({ 'POST /login': { login: { account: 'name', failed: status(401) } } }, wrong)
    const names = [
      'alice',
      '\u00e1lice',
      'al\u00ecce',
      'alic\u00e9',
      'a\u0142ice',
      'ALI\u00c7E',
      'alice\u0301',
    ]
    assert.equal(
      await guess(shop, i => ({ body: `name=${encodeURIComponent(names[i % 7] ?? '')}&password=${i}` })),
      10,
    )
  })

  test('attack: marks in the domain, and characters that it passes over, make none either', async () => {
    const shop = new LoginWorld({ 'POST /login': { login: { account: 'name', failed: status(401) } } }, wrong)
    const same = new Intl.Collator('und', { sensitivity: 'base' })
    const names = [
      'alice@shop.example',
      'alice@sh\u00f3p.example',
      'alice@shop.example\u0301',
      'alice@shop.ex\u1eadmple',
      'al\u0640ice@shop.example',
      'al\u0640\u0640ice@shop.example',
      'alice@shop.example\u0600',
      'al\ufff9ice@shop.example',
      'alic\u0345e@shop.example',
      'alice@shop\u07fa.example',
    ]
    for (const name of names) assert.equal(same.compare(name, 'alice@shop.example'), 0, name)
    const sent = (i: number): string => encodeURIComponent(names[i % names.length] ?? '')
    assert.equal(await guess(shop, i => ({ body: `name=${sent(i)}&password=${i}` })), 10)
    for (const name of ['дима', '山田', 'alice@山田.example', 'ali'])
      assert.notEqual(canonicalAccount(name), canonicalAccount('alice@shop.example'))
  })
})

describe('an application that normalises addresses', () => {
  const routes = {
    'POST /login': { login: { account: 'email', failed: status(401), succeeded: status(303) } },
  }
  const bodyOf = (email: string, password = 'wrong') =>
    `email=${encodeURIComponent(email)}&password=${password}`
  const spellings: readonly (readonly [string, (i: number) => string])[] = [
    ['tags', i => `alice+${i}@shop.example`],
    ['tags of Google', i => `a.lice+${i}@googlemail.com`],
    ['dots', i => `a.l${i % 2 ? '.' : ''}i${i % 3 ? '.' : ''}c${i % 5 ? '.' : ''}e+${i}@gmail.com`],
    ['hyphens of Yahoo', i => `alice-${i}@yahoo.com`],
    ['dots of Outlook', i => `a${i & 1 ? '.' : ''}l${i & 2 ? '.' : ''}i${i & 4 ? '.' : ''}ce+${i}@live.com`],
    ['dots of Proton', i => `al${'_.-'[i % 3]}ice+${i}@${i % 2 ? 'pm.me' : 'protonmail.com'}`],
    ['domains of Yandex', i => `alice+${i}@${['ya.ru', 'yandex.com', 'yandex.by'][i % 3]}`],
  ]
  for (const [name, spelling] of spellings)
    test(`attack: one account is guessed at under as many ${name} as there are guesses`, async () => {
      const shop = new LoginWorld(routes, wrong, LANES_ALONE)
      assert.equal(await guess(shop, i => ({ body: bodyOf(spelling(i)) })), 30)
    })

  test('attack: the address is in a second name of the request', async () => {
    const body = (i: number): string => `email=decoy${i}%40shop.example&username=alice%2B${i}%40shop.example`
    assert.equal(await guess(new LoginWorld({}, wrong, LANES_ALONE), i => ({ body: body(i) })), 30)
  })

  test('attack: no sign-in to accounts of the attacker ends the count of a mailbox', async () => {
    for (const beside of [
      'mailbox of alice@shop.example',
      'mailbox\nalice@shop.example',
      'alice+X@shop.example',
    ]) {
      const shop = new LoginWorld(
        {},
        body => (body.includes('=right') ? { status: 303, headers: ['location', '/'] } : { status: 401 }),
        LANES_ALONE,
      )
      for (let i = 0; i < 6; i++) {
        const name = encodeURIComponent(beside.replace('X', String(i)))
        const body = `email=mallory${i}%40shop.example&username=${name}&password=right`
        assert.ok((await shop.send({ type: FORM, body, address: `203.0.113.${i}` })).handled)
      }
      assert.equal(await guess(shop, i => ({ body: bodyOf(`alice+${i}@shop.example`) })), 30, beside)
    }
  })

  describe('where links are mailed', () => {
    const mailing = (mails: string[]): LoginWorld =>
      new LoginWorld(routes, wrong, {
        ...LANES_ALONE,
        link: {
          origin: 'https://shop.example',
          send: async account => {
            mails.push(account)
          },
        },
      })
    const ask = (shop: LoginWorld, account: string, i: number) =>
      shop.send({
        path: '/.postern/login-link',
        type: FORM,
        body: `account=${encodeURIComponent(account)}`,
        address: addressOf(i),
      })

    test('attack: who uses up the tries of a mailbox does not lock out its owner', async () => {
      const mails: string[] = []
      const shop = mailing(mails)
      await guess(shop, i => ({ body: bodyOf(`alice+${i}@shop.example`) }))
      const owner = await shop.send({
        type: FORM,
        body: bodyOf('alice+shop@shop.example'),
        address: '192.0.2.9',
      })
      assert.ok(owner.decision.effect === 'throttle')
      assert.match(JSON.stringify(owner.decision.content), /login-link/)
    })

    test('attack: nobody is mailed at once under every way to write the address', async () => {
      const mails: string[] = []
      const shop = mailing(mails)
      for (let i = 0; i < 40; i++) await ask(shop, `alice+${i}@shop.example`, i)
      assert.deepEqual(mails, ['alice+0@shop.example'])
    })
  })

  test('people whose address has dots or a tag become known as others do, and are let in while it is guessed at', async () => {
    for (const email of ['al.ice@gmail.com', 'alice+shop@shop.example']) {
      const shop = new LoginWorld(
        routes,
        body => ({ status: body.includes('=right') ? 303 : 401 }),
        LANES_ALONE,
      )
      const first = await shop.send({ type: FORM, body: bodyOf(email, 'right'), address: '203.0.113.7' })
      assert.ok(first.handled)
      const cookie = cookiesOf(first)
      await guess(shop, i => ({ body: bodyOf(email.replace('@', `+${i}@`)) }))
      const again = await shop.send({
        type: FORM,
        body: bodyOf(email, 'right'),
        address: '192.0.2.9',
        headers: { cookie },
      })
      assert.ok(again.handled)
    }
  })

  test('where tags are accounts of their own, five that signed in end the count', async () => {
    const shop = new LoginWorld(routes, () => ({ status: 303 }), LANES_ALONE)
    assert.equal(await guess(shop, i => ({ body: bodyOf(`alice+${i}@shop.example`) })), 40)
  })
})

describe('a name that nobody reads', () => {
  test('attack: does not hide the one that is tried, in the body or in the query', async () => {
    const requests: readonly ((i: number) => { path?: string; body: string; type?: string })[] = [
      i => ({ body: `email=decoy${i}%40example.com&username=victim&password=${i}` }),
      i => ({ body: `email=decoy${i}%40example.com&log=victim&pwd=${i}`, path: '/wp-login.php' }),
      i => ({
        body: `{"email":"decoy${i}@example.com","login":"victim","password":"${i}"}`,
        type: 'application/json',
      }),
      i => ({
        body: `email=decoy${i}%40example.com&password=${i}`,
        path: '/login?email=victim%40example.com',
      }),
      i => ({ body: `username=decoy${i}&password=${i}`, path: '/login?user=victim' }),
    ]
    for (const request of requests)
      assert.equal(await guess(new LoginWorld({}, wrong, LANES_ALONE), request), 30, request(0).body)
  })

  test('attack: the account stands in the query alone', async () => {
    for (const path of ['/login?username=victim', '/users/sign_in?user%5Bemail%5D=victim%40example.com']) {
      assert.equal(await guess(new LoginWorld({}, wrong), i => ({ body: `password=${i}`, path })), 10, path)
    }
    const named = new LoginWorld({ 'POST /login': { login: { account: 'email' } } }, wrong)
    const inQuery = (i: number) => ({ body: `password=${i}`, path: '/login?email=victim%40example.com' })
    assert.equal(await guess(named, inQuery), 10)
  })

  test('attack: makes no device known at an account that was only named', async () => {
    const world = new LoginWorld({}, body =>
      body.includes('username=mallory')
        ? { status: 200, body: '{"token":"t"}', headers: ['content-type', 'application/json'] }
        : { status: 401 },
    )
    const own = { body: 'email=victim&username=mallory&password=right', type: FORM }
    const cookie = cookiesOf(await world.send(own))
    let handled = 0
    for (let i = 0; i < 40; i++)
      if (
        (await world.send({ body: `username=victim&password=${i}`, type: FORM, headers: { cookie } })).handled
      )
        handled++
    assert.equal(handled, 5)
  })

  test('may be a tenant or the text of a button: then it holds nobody up', async () => {
    const world = new LoginWorld(
      {},
      body =>
        body.includes('right')
          ? { status: 200, body: '{"token":"t"}', headers: ['content-type', 'application/json'] }
          : { status: 401 },
      LANES_ALONE,
    )
    for (let i = 0; i < 6; i++) {
      const body = `username=user${i}&password=right&login=Log+in&account=acme`
      assert.equal((await world.send({ body, type: FORM, address: addressOf(i) })).handled, true)
    }
    const failing = (i: number) => ({ body: `username=other${i}&password=x&login=Log+in&account=acme` })
    assert.equal(await guess(world, failing), 40)
  })
})

describe('obvious login routes', () => {
  test('attack: are guarded with the format behind their path, as Rails answers there too', async () => {
    for (const path of ['/users/sign_in.json', '/login.do', '/Account/Login.aspx'])
      assert.equal(
        await guess(new LoginWorld({}, wrong), i => ({ body: `email=victim&password=${i}`, path })),
        10,
        path,
      )
  })
})
