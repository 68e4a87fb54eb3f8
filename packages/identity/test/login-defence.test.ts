import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CidrSet, StoreError } from '@postern/core'
import { LOGIN_WORDS } from '../src/login-defence/login-words.ts'
import {
  answerText,
  canonicalAccount,
  type LoginStore,
  loginDetector,
  memoryLoginStore,
  redirect,
  status,
} from '../src/login-entry.ts'
import { addressOf, cookiesOf, LoginWorld, type Reply, settled } from './login-harness.ts'

const RIGHT = '"correct horse"'
const login = (account: string, password: string): string => JSON.stringify({ email: account, password })
const answerByStatus = (body: string): { status: number } => ({ status: body.includes(RIGHT) ? 200 : 401 })

function world(options: ConstructorParameters<typeof LoginWorld>[2] = {}): LoginWorld {
  return new LoginWorld(
    { 'POST /login': { login: { account: 'email', failed: status(401) } } },
    answerByStatus,
    options,
  )
}

/** Guesses from as many addresses. */
async function attack(at: LoginWorld, account: string, count: number): Promise<number> {
  let handled = 0
  for (let i = 0; i < count; i++) {
    const reply = await at.send({ body: login(account, `guess ${i}`), address: addressOf(i) })
    if (reply.handled) handled++
  }
  return handled
}

describe('login defence on a route of somebody else', () => {
  test('hands on ten guesses at an account and refuses the rest before the handler is asked', async () => {
    const shop = world()
    assert.equal(await attack(shop, 'alice@example.com', 200), 10)
    const refused = await shop.send({ body: login('alice@example.com', 'x'), address: '198.51.100.7' })
    assert.equal(refused.status, 429)
    assert.ok(refused.decision.effect === 'throttle' && (refused.decision.retryAfter ?? 0) > 0)
    assert.equal((await shop.send({ body: login('bob@example.com', 'x') })).handled, true)
  })

  test('a refusal names the exception for the address, and an exempt address spends nobody else of their tries', async () => {
    const shop = world()
    await attack(shop, 'alice@example.com', 20)
    const { decision } = await shop.send({ body: login('alice@example.com', 'x'), address: '192.0.2.7' })
    assert.ok(decision.effect === 'throttle')
    assert.deepEqual(decision.reasons[0]?.exception, {
      changes: [{ at: ['login', 'exempt'], add: ['192.0.2.7'] }],
    })
    const exempting = world({ exempt: CidrSet.parse(['192.0.2.7']) })
    for (let i = 0; i < 30; i++) {
      const reply = await exempting.send({ body: login('alice@example.com', `${i}`), address: '192.0.2.7' })
      assert.equal(reply.handled, true)
    }
    assert.equal(await attack(exempting, 'alice@example.com', 40), 10, 'others are held down as ever')
  })

  test('the owner signs in from a known device while the account is under attack', async () => {
    const shop = world()
    const first = await shop.send({
      body: login('alice@example.com', 'correct horse'),
      address: '203.0.113.5',
    })
    assert.match(cookiesOf(first), /^__Host-postern-device=[\w-]{44}$/)
    await attack(shop, 'alice@example.com', 100)
    const again = await shop.send({
      body: login('alice@example.com', 'correct horse'),
      address: '100.64.0.1',
      headers: { cookie: cookiesOf(first) },
    })
    assert.equal(again.handled, true)
  })

  test('the owner signs in from a known network on a new device while the account is under attack', async () => {
    const shop = world()
    await shop.send({ body: login('alice@example.com', 'correct horse'), address: '203.0.113.5' })
    await attack(shop, 'alice@example.com', 100)
    const again = await shop.send({
      body: login('alice@example.com', 'correct horse'),
      address: '203.0.113.77',
    })
    assert.equal(again.handled, true)
  })

  test('a device cookie of one account is worth nothing at another, and a forged or altered one nothing anywhere', async () => {
    const shop = world()
    const mallory = await shop.send({
      body: login('mallory@example.com', 'correct horse'),
      address: '203.0.113.5',
    })
    await attack(shop, 'alice@example.com', 50)
    const cookie = cookiesOf(mallory)
    const altered = cookie.replace(/.$/, last => (last === 'A' ? 'B' : 'A'))
    for (const value of [
      cookie,
      altered,
      `__Host-postern-device=${'A'.repeat(44)}`,
      '__Host-postern-device=.....',
    ]) {
      const reply = await shop.send({
        body: login('alice@example.com', 'guess'),
        address: '198.51.100.9',
        headers: { cookie: value },
      })
      assert.equal(reply.handled, false, value)
    }
  })

  test('cookies of the same name that somebody planted do not take the known device from its owner', async () => {
    const full = (entry: string): string => `postern-device=${Array(8).fill(entry).join('.')}`
    for (const planted of [
      full('x'),
      full(''),
      full('A'.repeat(44)),
      `${full('A'.repeat(44))}; ${full('x')}`,
    ]) {
      const shop = world()
      const body = login('alice@example.com', 'correct horse')
      const first = await shop.send({ body, address: '203.0.113.5', secure: false })
      await attack(shop, 'alice@example.com', 100)
      const cookie = `${planted}; ${cookiesOf(first)}`
      const again = await shop.send({ body, address: '100.64.0.1', secure: false, headers: { cookie } })
      assert.equal(again.handled, true, planted)
    }
  })

  test('a device cookie set over plain HTTP, where anybody on the way can set one, is not read on HTTPS', async () => {
    const shop = world()
    const first = await shop.send({
      body: login('alice@example.com', 'correct horse'),
      address: '203.0.113.5',
      secure: false,
    })
    assert.match(cookiesOf(first), /^postern-device=/)
    await attack(shop, 'alice@example.com', 50)
    const again = await shop.send({
      body: login('alice@example.com', 'x'),
      address: '100.64.0.1',
      headers: { cookie: cookiesOf(first) },
    })
    assert.equal(again.handled, false)
  })

  test('a refusal says the same of accounts that exist and of accounts that do not', async () => {
    const shop = world()
    await attack(shop, 'alice@example.com', 30)
    await attack(shop, 'nobody@example.com', 30)
    const body = (reply: Reply): unknown => {
      const { effect } = reply.decision
      assert.notEqual(effect, 'allow')
      return reply.decision.effect === 'allow'
        ? undefined
        : [reply.decision.status, reply.decision.retryAfter, reply.decision.reasons[0].message]
    }
    const known = await shop.send({ body: login('alice@example.com', 'x'), address: '198.51.100.1' })
    const unknown = await shop.send({ body: login('nobody@example.com', 'x'), address: '198.51.100.2' })
    assert.deepEqual(body(known), body(unknown))
  })

  test('a try whose answer never came has used its place all the same', async () => {
    const shop = world()
    shop.backend = () => ({ status: 502 })
    assert.equal(await attack(shop, 'alice@example.com', 60), 10)
  })

  test('events name the lane and the outcome, and the account by a hash only', async () => {
    const shop = world()
    await shop.send({ body: login('alice@example.com', 'nope') })
    const event = shop.events.find(({ type }) => type === 'login.failed')
    assert.equal(event?.data?.['lane'], 'unknown')
    assert.doesNotMatch(JSON.stringify(shop.events), /alice|nope/)
  })
})

describe('the account that is counted is the account that is tried', () => {
  test('bug class: e-mail checked before Unicode normalisation: every spelling of a name is one account', async () => {
    const shop = world()
    const spellings = [
      'alice@example.com',
      'ALICE@EXAMPLE.COM',
      ' alice@example.com ',
      'ａｌｉｃｅ@example.com',
      'alice@example\u{200b}.com',
      'al\u{00ad}ice@example.com',
      '\u{feff}alice@example.com',
      'alice@example.com\u{0000}',
      'ＡＬＩＣＥ＠EXAMPLE.com',
    ]
    let handled = 0
    for (let i = 0; i < 90; i++) {
      const name = spellings[i % spellings.length] as string
      if ((await shop.send({ body: login(name, 'x'), address: addressOf(i) })).handled) handled++
    }
    assert.equal(handled, 10)
    assert.equal(canonicalAccount('STRASSE'), canonicalAccount('straße'))
  })

  test('bug class: limiter key not canonical: a client is its network, however its address is written or chosen', async () => {
    for (const addresses of [
      ['2001:db8:1:2::1', '2001:0DB8:0001:0002:0000:0000:0000:0001', '2001:db8:1:2:ffff::9'],
      ['192.0.2.8', '::ffff:192.0.2.8', '::FFFF:C000:0208', '0:0:0:0:0:ffff:c000:208'],
    ]) {
      const shop = world()
      let handled = 0
      for (let i = 0; i < 12; i++) {
        const address = addresses[i % addresses.length] ?? ''
        if ((await shop.send({ body: login('alice@example.com', 'x'), address })).handled) handled++
      }
      assert.equal(handled, 3, addresses[0])
    }
  })

  test('a body that names two accounts, or one twice, is refused', async () => {
    const shop = world()
    const bodies: readonly (readonly [string, string])[] = [
      ['{"email":"decoy@example.com","email":"alice@example.com","password":"x"}', 'application/json'],
      ['{"email":"decoy@example.com","Email":"alice@example.com","password":"x"}', 'application/json'],
      ['{"\\u0065mail":"decoy@example.com","email":"alice@example.com"}', 'application/json'],
      ['{"email":["decoy@example.com","alice@example.com"],"password":"x"}', 'application/json'],
      ['{"email":{"$gt":""},"password":"x"}', 'application/json'],
      ['[{"email":"a@example.com"},{"email":"b@example.com"}]', 'application/json'],
      ['email=decoy%40example.com&email=alice%40example.com', 'application/x-www-form-urlencoded'],
      ['email[]=decoy%40example.com&email[]=alice%40example.com', 'application/x-www-form-urlencoded'],
      ['email=decoy%40example.com&EMAIL=alice%40example.com', 'application/x-www-form-urlencoded'],
    ]
    for (const [body, type] of bodies) assert.equal((await shop.send({ body, type })).status, 400, body)
    assert.equal(shop.handled, 0)
  })

  test('bug class: malformed header that fails open: a body in a form that only the backend may understand is refused', async () => {
    const shop = world()
    const plain = login('alice@example.com', 'x')
    const cases: readonly { body: string; type?: string; headers?: Readonly<Record<string, string>> }[] = [
      { body: plain, type: 'application/json; charset=utf-16' },
      { body: plain, headers: { 'content-encoding': 'gzip' } },
      { body: plain, type: 'application/xml' },
      { body: '{"email":"alice@example.com"', type: 'application/json' },
      { body: 'not json', type: 'application/json' },
      { body: '{"password":"x"}', type: 'application/json' },
      { body: login('a'.repeat(2_000_000), 'x') },
      {
        body: '--b\r\ncontent-disposition: form-data; name="email"\r\n\r\nx',
        type: 'multipart/form-data; boundary=b',
      },
    ]
    for (const request of cases) assert.equal((await shop.send(request)).status, 400, request.type)
    assert.equal(shop.handled, 0)
  })

  test('reads forms, multipart forms, JSON without a type, and nested fields', async () => {
    const shop = new LoginWorld(
      { 'POST /login': { login: { account: 'user.email', failed: status(401) } } },
      answerByStatus,
    )
    const boundary = 'x-1'
    const multipart =
      `--${boundary}\r\nContent-Disposition: form-data; name="user[email]"\r\n\r\nalice@example.com\r\n` +
      `--${boundary}\r\nContent-Disposition: form-data; name="password"\r\n\r\nx\r\n--${boundary}--\r\n`
    let handled = 0
    for (let i = 0; i < 40; i++) {
      const forms = [
        { body: 'user[email]=alice%40example.com&password=x', type: 'application/x-www-form-urlencoded' },
        { body: multipart, type: `multipart/form-data; boundary=${boundary}` },
        { body: '{"user":{"email":"alice@example.com"}}', type: 'text/plain' },
        { body: '{"user":{"email":"alice@example.com"}}', type: 'application/vnd.api+json' },
      ]
      if ((await shop.send({ ...forms[i % 4], address: addressOf(i) })).handled) handled++
    }
    assert.equal(handled, 10)
  })
})

describe('the outcome of a login is reported', () => {
  const known = async (
    routes: ConstructorParameters<typeof LoginWorld>[0],
    answer: { status: number; headers?: string[]; body?: string },
    body = login('alice@example.com', 'x'),
  ): Promise<string> => {
    const at = new LoginWorld(routes, () => answer)
    const reply = await at.send({ body })
    await settled()
    const outcome = at.events.find(({ type }) => type.startsWith('login.'))?.type ?? 'unclear'
    const cookie = cookiesOf(reply)
    assert.equal(outcome === 'login.succeeded' ? cookie !== '' : true, true)
    return outcome
  }
  const route = (settings: object) => ({ 'POST /login': { login: { account: 'email', ...settings } } })

  test('by status', async () => {
    assert.equal(await known(route({ failed: status(401) }), { status: 401 }), 'login.failed')
    assert.equal(await known(route({ failed: status(401) }), { status: 204 }), 'login.succeeded')
    assert.equal(await known(route({ failed: status(401) }), { status: 503 }), 'unclear')
  })

  test('by redirect target', async () => {
    const to = (target: string) => ({ status: 302, headers: ['Location', target] })
    assert.equal(await known(route({ failed: redirect('/login') }), to('/login?e=1')), 'login.failed')
    assert.equal(
      await known(route({ failed: redirect('/login') }), to('https://shop.example/login')),
      'login.failed',
    )
    assert.equal(await known(route({ succeeded: redirect('/home') }), to('/home')), 'login.succeeded')
    assert.equal(await known(route({ succeeded: redirect('/home') }), to('/')), 'login.failed')
  })

  test('by body, also where success and failure have one status', async () => {
    const page = (text: string) => ({ status: 200, body: `<html>${text}</html>` })
    const settings = { failed: answerText('Wrong password') }
    assert.equal(await known(route(settings), page('Wrong password')), 'login.failed')
    assert.equal(await known(route(settings), page('Welcome')), 'login.succeeded')
  })

  test('without a word from the operator', async () => {
    const obvious = {}
    const cookie = ['Set-Cookie', 'sid=abc; Path=/']
    const cases: readonly (readonly [{ status: number; headers?: string[]; body?: string }, string])[] = [
      [{ status: 401 }, 'login.failed'],
      [{ status: 422 }, 'login.failed'],
      [{ status: 500 }, 'unclear'],
      [{ status: 429 }, 'unclear'],
      [{ status: 302, headers: ['Location', '/', ...cookie] }, 'login.succeeded'],
      [{ status: 302, headers: ['Location', '/login', ...cookie] }, 'login.failed'],
      [{ status: 302, headers: ['Location', '/?error=credentials', ...cookie] }, 'login.failed'],
      [{ status: 302, headers: ['Location', '/'] }, 'unclear'],
      [{ status: 200, headers: cookie, body: '<form>again</form>' }, 'unclear'],
      [{ status: 200, body: '{"token":"t"}' }, 'login.succeeded'],
      [{ status: 200, body: '{"data":{"accessToken":"t"}}' }, 'login.succeeded'],
      [{ status: 200, body: '{"error":"no"}' }, 'login.failed'],
      [{ status: 200, body: '{"success":false}' }, 'login.failed'],
    ]
    for (const [answer, wanted] of cases)
      assert.equal(await known(obvious, answer), wanted, JSON.stringify(answer))
  })

  test('a device cookie that went out before the body was known is worth nothing when the login failed', async () => {
    const at = new LoginWorld(route({ failed: answerText('Wrong') }), () => ({ status: 200, body: 'Wrong' }))
    const failed = await at.send({ body: login('alice@example.com', 'x') })
    assert.notEqual(cookiesOf(failed), '')
    await attack(at, 'alice@example.com', 50)
    const reply = await at.send({
      body: login('alice@example.com', 'y'),
      address: '198.51.100.3',
      headers: { cookie: cookiesOf(failed) },
    })
    assert.equal(reply.handled, false)
  })
})

describe('GraphQL and JSON-RPC logins', () => {
  const graphql = (query: string, variables: object = {}): string => JSON.stringify({ query, variables })
  const shop = (): LoginWorld =>
    new LoginWorld(
      {
        'POST /graphql': { login: { graphql: { field: 'login', account: 'email', operations: ['SignIn'] } } },
      },
      body => ({
        status: 200,
        body: body.includes('correct') ? '{"data":{"login":{"token":"t"}}}' : '{"errors":[{}]}',
      }),
    )

  test('are counted by account, in arguments, input objects and variables; other operations pass', async () => {
    const at = shop()
    const bodies = [
      graphql('mutation { login(email: "alice@example.com", password: "x") { token } }'),
      graphql('mutation L($e: String!) { me: login(email: $e, password: "x") { token } }', {
        e: 'Alice@example.com',
      }),
      graphql('mutation L($i: In!) { login(input: $i) { token } }', { i: { email: 'alice@example.com' } }),
      graphql(
        'mutation { login(input: {password: "y", email: """alice@example.com"""}) { token } } # login(',
      ),
      JSON.stringify({ operationName: 'SignIn', variables: { email: 'alice@example.com' } }),
    ]
    let handled = 0
    for (let i = 0; i < 50; i++)
      if ((await at.send({ path: '/graphql', body: bodies[i % 5] as string, address: addressOf(i) })).handled)
        handled++
    assert.equal(handled, 10)
    assert.equal((await at.send({ path: '/graphql', body: graphql('{ products { id } }') })).handled, true)
    assert.equal((await at.send({ path: '/graphql', body: graphql('query login { login }') })).handled, true)
  })

  test('a thousand guesses under aliases, or in a batch, are refused', async () => {
    const at = shop()
    const aliases = Array.from(
      { length: 100 },
      (_, i) => `a${i}: login(email: "alice@example.com", password: "${i}") { token }`,
    )
    const one = { query: 'mutation { login(email: "alice@example.com", password: "1") { token } }' }
    for (const body of [graphql(`mutation { ${aliases.join(' ')} }`), JSON.stringify([one, one])])
      assert.equal((await at.send({ path: '/graphql', body })).status, 400)
  })

  test('attack: the document stands in the query, or twice in a form, beside one that does not sign in', async () => {
    const at = shop()
    const login = 'mutation { login(email: "alice@example.com", password: "x") { token } }'
    const query = new URLSearchParams({ query: login }).toString()
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const other = graphql('{ products { id } }')
    let handled = 0
    for (let i = 0; i < 30; i++) {
      const sent = { path: `/graphql?${query}`, body: i % 2 === 0 ? other : '', address: addressOf(i) }
      if ((await at.send(sent)).handled) handled++
    }
    assert.equal(handled, 10)
    for (const body of [`query={a}&${query}`, `${query}&query={a}`])
      assert.equal((await at.send({ path: '/graphql', body, headers: form })).handled, false, body)
  })

  test('the outcome is read from the body', async () => {
    const at = shop()
    await at.send({
      path: '/graphql',
      body: graphql('mutation { login(email: "a@b.c", password: "no") { token } }'),
    })
    await at.send({
      path: '/graphql',
      body: graphql('mutation { login(email: "a@b.c", password: "correct") { token } }'),
    })
    assert.deepEqual(
      at.events.map(({ type }) => type),
      ['login.failed', 'login.succeeded'],
    )
  })

  test('JSON-RPC: one call, a batch of two, and another method', async () => {
    const at = new LoginWorld(
      { 'POST /rpc': { login: { jsonRpc: { method: 'auth.login', account: '0' } } } },
      () => ({ status: 200, body: '{"error":{"code":1}}' }),
    )
    const call = (method: string) => ({ jsonrpc: '2.0', id: 1, method, params: ['alice', 'x'] })
    assert.equal((await at.send({ path: '/rpc', body: JSON.stringify(call('auth.login')) })).handled, true)
    assert.equal(
      (await at.send({ path: '/rpc', body: JSON.stringify([call('auth.login'), call('auth.login')]) }))
        .status,
      400,
    )
    assert.equal((await at.send({ path: '/rpc', body: JSON.stringify(call('stock.list')) })).handled, true)
    assert.deepEqual(
      at.events.map(({ type }) => type),
      ['login.failed'],
    )
  })
})

const OBVIOUS_PATHS = ['/api/v1/auth/login', '/login.json', '/users/sign_in.xml', '/wp-login.php', '/Login/']

describe('obvious login routes are guarded without configuration', () => {
  test('where the body has an account', async () => {
    const at = new LoginWorld({}, answerByStatus)
    let handled = 0
    for (let i = 0; i < 40; i++)
      if (
        (
          await at.send({
            path: OBVIOUS_PATHS[i % OBVIOUS_PATHS.length] as string,
            body: '{"username":"bob","password":"x"}',
            address: addressOf(i),
          })
        ).handled
      )
        handled++
    assert.equal(handled, 10)
    assert.equal((await at.send({ path: '/api/orders', body: '{"username":"bob"}' })).handled, true)
    assert.equal((await at.send({ path: '/login', method: 'GET' })).handled, true)
    assert.equal((await at.send({ path: '/sessions', body: '{"cart":1}' })).handled, true)
  })

  test('unless the route or the operator says no', async () => {
    const off = new LoginWorld({ 'POST /login': { login: false } }, answerByStatus)
    assert.equal(await attack(off, 'bob', 30), 30)
    const ignored = new LoginWorld({}, answerByStatus, { obviousRoutes: 'ignore' })
    assert.equal(await attack(ignored, 'bob', 30), 30)
  })
})

describe('the link when all lanes are empty', () => {
  const mails: { account: string; url: string }[] = []
  const withLink = (): LoginWorld => {
    mails.length = 0
    return world({
      link: {
        origin: 'https://shop.example',
        next: '/login',
        send: async (account, url) => {
          mails.push({ account, url })
        },
      },
    })
  }
  const ask = (at: LoginWorld, account: string, address = '198.51.100.1', headers = {}): Promise<Reply> =>
    at.send({
      path: '/.postern/login-link',
      body: `account=${encodeURIComponent(account)}`,
      type: 'application/x-www-form-urlencoded',
      address,
      headers,
    })
  const open = (at: LoginWorld, url: string, address = '198.51.100.1'): Promise<Reply> =>
    at.send({
      path: '/.postern/login-link/open',
      body: `token=${new URL(url).searchParams.get('token')}`,
      type: 'application/x-www-form-urlencoded',
      address,
    })

  test('its pages speak the language of their reader', async () => {
    const at = withLink()
    await attack(at, 'alice@example.com', 100)
    for (const [language, words] of Object.entries(LOGIN_WORDS)) {
      const headers = { accept: 'text/html', 'accept-language': `${language};q=0.9,en;q=0.1` }
      const pages = [
        [
          words.wait,
          await at.send({ body: login('alice@example.com', 'x'), address: '198.51.100.1', headers }),
        ],
        [words.confirm, await at.send({ method: 'GET', path: '/.postern/login-link?token=x', headers })],
        [words.nothing, await at.send({ method: 'GET', path: '/.postern/login-link/x', headers })],
      ] as const
      for (const [{ title, text }, { decision }] of pages) {
        const html =
          decision.effect === 'allow' ? String(decision.answer?.body) : (decision.content?.text ?? '')
        assert.ok(html.includes(`<html lang="${language}"`), title)
        assert.ok(html.includes(`<h1>${title}</h1>`) && html.includes(`<p>${text}</p>`), title)
      }
    }
  })

  test('lets the owner in from an unknown device and network, while the attack goes on', async () => {
    const at = withLink()
    await attack(at, 'alice@example.com', 100)
    const refused = await at.send({
      body: login('alice@example.com', 'correct horse'),
      address: '198.51.100.1',
    })
    assert.ok(
      refused.decision.effect === 'throttle' &&
        refused.decision.content?.text.includes('/.postern/login-link'),
    )
    await ask(at, 'alice@example.com')
    assert.equal(mails.length, 1)
    const page = await at.send({
      method: 'GET',
      path: new URL(mails[0]?.url ?? '').href.slice('https://shop.example'.length),
    })
    assert.equal(page.status, 200)
    const opened = await open(at, mails[0]?.url ?? '')
    assert.equal(opened.status, 303)
    const owner = await at.send({
      body: login('alice@example.com', 'correct horse'),
      address: '198.51.100.1',
      headers: { cookie: cookiesOf(opened) },
    })
    assert.equal(owner.handled, true)
    assert.equal((await open(at, mails[0]?.url ?? '')).status, 410)
  })

  test('an attacker who asks first, and over and over, makes one mail in two hours, and it still serves the owner', async () => {
    const at = withLink()
    for (let i = 0; i < 60; i++) {
      await ask(at, 'alice@example.com', addressOf(i))
      at.clock.advance(119_000)
    }
    assert.equal(mails.length, 1)
    assert.equal((await open(at, mails[0]?.url ?? '')).status, 303)
  })

  test('one client cannot make us write to many accounts', async () => {
    const at = withLink()
    for (let i = 0; i < 100; i++) await ask(at, `user${i}@example.com`)
    assert.equal(mails.length, 10)
  })

  test('bug class: open redirect and Host-header redirect: links lead to the configured origin, whatever the request claims', async () => {
    const at = withLink()
    await ask(at, 'alice@example.com', '198.51.100.1', {
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
    })
    assert.match(mails[0]?.url ?? '', /^https:\/\/shop\.example\//)
    for (const next of ['//evil.example', '/\\evil.example', 'https://evil.example', '/a b'])
      assert.throws(() => world({ link: { origin: 'https://shop.example', next, send: async () => {} } }), {
        code: 'POSTERN_CONFIG',
      })
    assert.throws(() => world({ link: { origin: 'https://shop.example/path', send: async () => {} } }), {
      code: 'POSTERN_CONFIG',
    })
  })

  test('opening it by GET, as mail scanners do, opens nothing', async () => {
    const at = withLink()
    await ask(at, 'alice@example.com')
    const path = mails[0]?.url.slice('https://shop.example'.length) ?? ''
    const scanned = await at.send({ method: 'GET', path })
    assert.equal(cookiesOf(scanned), '')
    assert.equal((await open(at, mails[0]?.url ?? '')).status, 303)
  })

  test('bug class: redeem and rotate races: of two openings at once, one is served', async () => {
    const at = withLink()
    await ask(at, 'alice@example.com')
    const both = await Promise.all([open(at, mails[0]?.url ?? ''), open(at, mails[0]?.url ?? '')])
    assert.deepEqual(both.map(({ status: code }) => code).sort(), [303, 410])
  })
})

describe('when the shared store does not answer', () => {
  const broken: LoginStore = {
    name: 'broken',
    update: () => Promise.reject(new StoreError('is not reachable', { store: 'redis', retryable: true })),
  }

  test('the lanes hold in this process, and the error is reported', async () => {
    const at = world({ store: broken })
    assert.equal(await attack(at, 'alice@example.com', 50), 10)
    assert.ok(at.errors.length > 0)
  })

  test('or nobody is let in, where that is wanted', async () => {
    const at = world({ store: broken, onStoreFailure: 'closed' })
    const reply = await at.send({ body: login('alice@example.com', 'x') })
    assert.equal(reply.status, 503)
  })
})

describe('across accounts', () => {
  test('stuffing from one address becomes a finding and proof of work', async () => {
    const at = world()
    for (let i = 0; i < 12; i++)
      await at.send({ body: login(`user${i}@example.com`, 'x'), address: '198.51.100.66' })
    const reply = await at.send({ body: login('user99@example.com', 'x'), address: '198.51.100.66' })
    assert.equal(reply.decision.effect, 'challenge')
    const [event, ...more] = at.events.filter(({ type }) => type === 'login.stuffing')
    assert.equal(more.length, 0)
    const [finding] = loginDetector().observe(event ?? { type: '', time: 0, actor: {} }) ?? []
    assert.deepEqual(finding?.actor, { kind: 'address', value: '198.51.100.66' })
    assert.equal(finding?.respond?.measure, 'challenge')
    assert.equal(
      (await at.send({ body: login('user98@example.com', 'x'), address: '198.51.100.1' })).handled,
      true,
    )
  })

  test('spraying from ever new addresses is noticed, told once, and asks strangers for work but no known device', async () => {
    const at = world()
    const owner = await at.send({ body: login('owner@example.com', 'correct horse'), address: '203.0.113.5' })
    for (let i = 0; i < 200; i++)
      await at.send({ body: login(`user${i}@example.com`, 'x'), address: addressOf(i) })
    const told = at.events.filter(({ type }) => type === 'login.spraying')
    assert.equal(told.length, 1)
    const [finding] = loginDetector().observe(told[0] ?? { type: '', time: 0, actor: {} }) ?? []
    assert.equal(finding?.scenario, 'login/spraying')
    const stranger = await at.send({ body: login('user900@example.com', 'x'), address: addressOf(900) })
    assert.equal(stranger.decision.effect, 'challenge')
    const known = await at.send({
      body: login('owner@example.com', 'correct horse'),
      address: '203.0.113.5',
      headers: { cookie: cookiesOf(owner) },
    })
    assert.equal(known.handled, true)
  })

  test('a stranger is challenged before the record is read: the time it takes tells nothing of the account', async () => {
    const store = memoryLoginStore()
    const asked: string[] = []
    const watched: LoginStore = {
      ...store,
      update: (account, step) => {
        asked.push(account)
        return store.update(account, step)
      },
    }
    const at = world({ store: watched })
    const owner = await at.send({ body: login('owner@example.com', 'correct horse'), address: '203.0.113.5' })
    for (let i = 0; i < 200; i++)
      await at.send({ body: login(`user${i}@example.com`, 'x'), address: addressOf(i) })
    asked.length = 0
    // The cookie of a device is of one account: it does not have another account looked up either.
    for (const headers of [{}, { cookie: cookiesOf(owner) }])
      for (const account of ['user1@example.com', 'nobody@example.com']) {
        const reply = await at.send({ body: login(account, 'x'), address: addressOf(900), headers })
        assert.equal(reply.decision.effect, 'challenge')
      }
    const stranger = await at.send({ body: login('owner@example.com', 'x'), address: addressOf(901) })
    assert.equal(stranger.decision.effect, 'challenge')
    assert.deepEqual(asked, [])
  })

  test('a solution lets one try in, once, for one account and one network', async () => {
    const { createHash } = await import('node:crypto')
    const at = world({ proofOfWork: { raised: 500, high: 500 }, store: memoryLoginStore() })
    for (let i = 0; i < 200; i++)
      await at.send({ body: login(`user${i}@example.com`, 'x'), address: addressOf(i) })
    const challenged = await at.send({ body: login('alice@example.com', 'x'), address: '198.51.100.5' })
    assert.ok(challenged.decision.effect === 'challenge')
    const { challenge } = JSON.parse(challenged.decision.content?.text ?? '{}') as {
      challenge: { challenge: string; salt: string; signature: string; algorithm: string; maxnumber: number }
    }
    let number = 0
    while (
      createHash('sha256')
        .update(challenge.salt + number)
        .digest('hex') !== challenge.challenge
    )
      number++
    const { maxnumber: _, ...rest } = challenge
    const proof = Buffer.from(JSON.stringify({ ...rest, number })).toString('base64')
    const send = (account: string, address: string): Promise<Reply> =>
      at.send({ body: login(account, 'x'), address, headers: { 'postern-proof': proof } })
    assert.equal((await send('bob@example.com', '198.51.100.5')).handled, false)
    assert.equal((await send('alice@example.com', '198.51.200.5')).handled, false)
    assert.equal((await send('alice@example.com', '198.51.100.5')).handled, true)
    assert.equal((await send('alice@example.com', '198.51.100.5')).handled, false)
  })
})
