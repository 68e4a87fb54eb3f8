// What frameworks find under odd names, and between odd delimiters, is the account that they check.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { status } from '../src/login-entry.ts'
import { addressOf, LoginWorld } from './login-harness.ts'

const FORM = 'application/x-www-form-urlencoded'
const PARTS = 'multipart/form-data; boundary=b'

/** How many of forty guesses at one account, each from another address, reach the backend. */
async function guess(
  world: LoginWorld,
  type: string,
  body: (i: number) => string,
  query = '',
): Promise<number> {
  let handled = 0
  for (let i = 0; i < 40; i++) {
    const path = `/login${query}`
    if ((await world.send({ type, path, body: body(i), address: addressOf(i) })).handled) handled++
  }
  return handled
}

const world = (account: string): LoginWorld =>
  new LoginWorld({ 'POST /login': { login: { account, failed: status(401) } } }, () => ({ status: 401 }), {
    proofOfWork: 'off',
  })
/** The account of a route that is a login by its name alone. */
const unnamed = (): LoginWorld => new LoginWorld({}, () => ({ status: 401 }), { proofOfWork: 'off' })

/** By whom: as PHP 8, Rack 2, qs 6, Spring 6 and ASP.NET read them. */
const SPELLINGS = [
  'email%00x',
  ' email',
  '+email',
  '%20%20email',
  '[email]',
  '[[email]]',
  ']email',
  '!email',
  '%u0065mail',
]

describe('a sign-in whose account stands under a name that is read leniently', () => {
  for (const name of SPELLINGS) {
    test(`attack: ${JSON.stringify(name)} behind a decoy`, async () => {
      const body = (i: number): string => `email=decoy${i}&${name}=alice&password=p${i}`
      assert.ok((await guess(world('email'), FORM, body)) <= 10)
    })

    test(`attack: ${JSON.stringify(name)} alone, on a route that only looks like a login`, async () => {
      const body = (i: number): string => `${name}=alice%40shop.example&password=p${i}`
      assert.ok((await guess(unnamed(), FORM, body)) <= 30)
    })
  }

  for (const [account, pairs] of [
    ['user_name', 'user_name=decoy&user.name=alice'],
    ['user_name', 'user_name=decoy&user[name=alice'],
    ['user.email', 'user[email]=decoy&user[email]x=alice'],
    ['user.email', 'user[email]=decoy&user[[email]]=alice'],
    ['user.email', 'user[email]=decoy&user][email]=alice'],
    ['email', 'email=decoy&x=1;email=alice'],
    ['email', 'email=decoy;email=alice'],
  ] as const)
    test(`attack: ${pairs}`, async () => {
      const body = (i: number): string => `${pairs.replace('decoy', `decoy${i}`)}&password=p${i}`
      assert.ok((await guess(world(account), FORM, body)) <= 10)
    })

  test('attack: JSON under a name that Go takes for the same', async () => {
    const body = (i: number): string => `{"user":"decoy${i}","u\u017fer":"alice"}`
    assert.ok((await guess(world('user'), 'application/json', body)) <= 10)
  })
})

const part = (head: string, value: string, end = '\r\n'): string => `--b${end}${head}${end}${end}${value}\r\n`
const field = (name: string, value: string): string =>
  part(`Content-Disposition: form-data; name="${name}"`, value)

describe('a sign-in in a multipart form that parsers read differently', () => {
  for (const [title, victim] of [
    [
      'a name behind what looks like one',
      part('Content-Disposition: form-data; x="; name="; name="email"', 'alice'),
    ],
    [
      'a delimiter behind a line feed alone',
      `${field('z', 'q').trimEnd()}\n--b\nContent-Disposition: form-data; name="email"\n\nalice\r\n`,
    ],
    [
      'a header behind a line feed alone',
      part('Content-Disposition: form-data; name="z"\nContent-Disposition: form-data; name="email"', 'alice'),
    ],
    [
      'another charset',
      part(
        'Content-Disposition: form-data; name="email"\r\nContent-Type: text/plain; charset=utf-7',
        '+AGE-lice',
      ),
    ],
  ] as const)
    test(`attack: ${title}`, async () => {
      const body = (i: number): string => `${field('email', `decoy${i}`)}${victim}--b--\r\n`
      assert.ok((await guess(world('email'), PARTS, body)) <= 10)
    })

  test('forms as clients send them are read', async () => {
    const clients = [
      part('Content-Disposition: form-data; name="email"', 'ann'),
      part('content-disposition: form-data; name="email"\r\ncontent-type: text/plain; charset=UTF-8', 'ann'),
      part('Content-Disposition: form-data;name="email"\r\nContent-Length: 3', 'ann'),
      `${field('email', 'ann')}${part('Content-Disposition: form-data; name="f"; filename="a.txt"\r\nContent-Type: text/plain', 'x')}`,
      `${field('email', 'ann')}${part(`Content-Disposition: form-data; name="f"; filename="a.txt"; filename*=utf-8''a.txt`, 'x')}`,
    ]
    for (const body of clients)
      assert.ok(
        (await world('email').send({ type: PARTS, path: '/login', body: `${body}--b--\r\n` })).handled,
        body,
      )
  })

  test('honest neighbours: names and values of forms that a semicolon or a bracket stands in', async () => {
    for (const [account, body] of [
      ['email', 'email=ann&password=a;b'],
      ['email', 'email=ann&password=a%3Bemail%3Db'],
      ['user.email', 'user[email]=ann&user[password]=x&user[remember][]=1'],
      ['email', 'email=ann&_email=on&user.name=Ann'],
    ] as const)
      assert.ok((await world(account).send({ type: FORM, path: '/login', body })).handled, body)
  })
})

describe('a sign-in with more fields than are read', () => {
  for (const end of ['&', ';', '&;'])
    test(`attack: ${end} ends a thousand of them, and nothing is sought in so many`, async () => {
      const body = (fields: number): string => `${`x=1${end}`.repeat(fields)}&email=ann`
      const ask = async (fields: number): Promise<boolean> =>
        (await world('email').send({ type: FORM, path: '/login', body: body(fields) })).handled
      assert.equal(await ask(400), true)
      assert.equal(await ask(1_000), false)
    })
})
