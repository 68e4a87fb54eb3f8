import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Json } from '@postern/core'
import { inProcess } from './in-process.ts'

const TOKEN = 'the token of the run file'
const ID = '1m8atsqfac8s20s00001'

/** What the admin listener of a gateway says: commands are asked of it, and their answers are shown. */
class Admin {
  readonly folder = mkdtempSync(join(tmpdir(), 'postern-running-'))
  readonly asked: { readonly command: string; readonly input: Json; readonly token: string | undefined }[] =
    []
  answer: { readonly status: number; readonly text: string } = { status: 200, text: '{}' }
  readonly #server: Server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => {
      const command = (request.url ?? '').slice(1)
      this.asked.push({ command, input: JSON.parse(body) as Json, token: request.headers.authorization })
      response.writeHead(this.answer.status, { Connection: 'close' }).end(this.answer.text)
    })
  })

  async open(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const { port } = this.#server.address() as AddressInfo
    this.leave({ pid: process.pid, admin: `http://127.0.0.1:${port}` })
  }

  /** Writes what a gateway leaves in its data directory for the commands. */
  leave(run: { readonly pid: number; readonly admin: string }): void {
    mkdirSync(join(this.folder, '.postern'), { recursive: true, mode: 0o700 })
    writeFileSync(
      join(this.folder, '.postern/gateway.json'),
      JSON.stringify({ ...run, gateway: 'http://127.0.0.1:1', token: TOKEN }),
      { mode: 0o600 },
    )
  }

  says(value: Json, status = 200): void {
    this.answer = { status, text: JSON.stringify(value) }
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

const admin = new Admin()
before(() => admin.open())
after(() => admin.close())

type Case = readonly [line: string, answer: Json, code: number, says: RegExp]

const EDGE = { from: 'user:ann', to: 'order 7', touches: 3, refused: 1, actions: ['order.read'] }

const CASES: readonly Case[] = [
  [
    'console operators',
    {
      operators: [
        { name: 'ann', roles: ['viewer', 'operator'], isInvited: false },
        { name: 'bob\u001b[31m', roles: ['viewer'], isInvited: true },
      ],
    },
    0,
    /^ann {2}viewer operator\nbob {2}viewer {2}\(invited\)\n$/,
  ],
  ['console link', { link: 'http://127.0.0.1:9465/#one' }, 0, /^http:\/\/127\.0\.0\.1:9465\/#one\n$/],
  ['console link --role viewer --name eve', { link: 'x' }, 0, /^x\n$/],
  [
    'console link --role owner',
    {},
    2,
    /"owner" is not a role\n {2}hint: viewer, operator, administrator, approver/,
  ],
  ['console invite ann@example.com --role viewer', { link: 'y' }, 0, /^y\n$/],
  ['console grant ann viewer', { change: 'changed' }, 0, /^ann: has other roles from now on\n$/],
  ['console grant ann viewer', { change: 'unchanged' }, 1, /^ann: nothing to change\n$/],
  ['console grant ann viewer', { change: 'last approver' }, 1, /is the last approver, and stays/],
  ['console grant ann boss', {}, 2, /"boss" is not a role/],
  ['console remove ann', { change: 'changed' }, 0, /^ann: is removed\n$/],
  ['console remove ann', { change: 'last operator' }, 1, /is the last operator, and stays/],
  [
    'console activity --days 2',
    {
      hours: [
        { time: Date.UTC(2026, 4, 4, 1), requests: 5, refused: 1 },
        { time: Date.UTC(2026, 4, 4, 2), requests: 7, refused: 0 },
        { time: Date.UTC(2026, 4, 5, 2), requests: 1, refused: 1 },
      ],
      countries: [{ country: 'DE', requests: 9, refused: 2 }],
    },
    0,
    /^2026-05-04 {2}12 requests, 1 refused\n2026-05-05 {2}1 request, 1 refused\nDE +9 requests, 2 refused\n$/,
  ],
  [
    'console graph --hours 2 --principal ann',
    { edges: [{ ...EDGE, touches: 1, actions: [] }, EDGE], left: 4 },
    0,
    /^user:ann -> order 7 {2}3 times, 1 refused: order\.read\nuser:ann -> order 7 {2}1 times, 1 refused\n4 more/,
  ],
  ['console graph', { edges: [], left: 0 }, 0, /^nothing was touched in that time\n$/],
  [
    'console false-positives',
    {
      rules: [{ rule: 'xss/element', marked: 1, refused: 9 }],
      marks: [{ request: ID, rule: 'xss/element', operator: 'eve', note: '' }],
    },
    0,
    /^xss\/element {2}1 marked of 9 refused\n {2}1m8atsqfac8s20s00001 {2}xss\/element {2}eve\n$/,
  ],
  ['console false-positives', { rules: [], marks: [] }, 0, /no refusal is marked/],
  [
    `console false-positive ${ID} --note "a forum post"`,
    { rule: 'xss/element', marked: 2 },
    0,
    /marks of xss\/element: 2\nto let it pass: postern explain 1m8atsqfac8s20s00001 --apply/,
  ],
  [`console false-positive ${ID} --undo`, { removed: true }, 0, /is not marked any more/],
  [`console false-positive ${ID} --undo`, { removed: false }, 1, /was not marked/],
  ['limits reset 192.0.2.7', {}, 0, /^192\.0\.2\.7: every limit was reset\n$/],
  [
    'limits show 192.0.2.7',
    [{ name: 'address', limit: 10, window: '1m', remaining: 0, retryAfter: 6_000 }, 'not a row', null],
    0,
    /^address +0 of 10 left in 1m, next in 6s\n$/,
  ],
  [
    'limits show 192.0.2.7',
    [{ name: 'busy', kind: 'concurrency', limit: 200, window: '1m', remaining: 199, retryAfter: 0 }],
    0,
    /^busy +199 of 200 left at once\n$/,
  ],
  ['limits show 192.0.2.7', { not: 'a list' }, 0, /no limit can be shown for a key alone/],
  [
    'audit erase ann --tenant acme --yes',
    { index: 12 },
    0,
    /what the entries of ann said of them .* entry 12 records it/,
  ],
  ['parameters forget', { forgotten: 3 }, 0, /^3 routes: forgotten\n$/],
  ['parameters forget "GET /x"', { forgotten: 1 }, 0, /^GET \/x: forgotten\n$/],
  ['parameters forget', 'nothing that is expected', 1, /nothing was learned of that/],
  [
    'parameters propose --samples 5',
    { 'GET /x': { parameters: {} } },
    0,
    /"GET \/x"[\s\S]*1 route; review them, then schema/,
  ],
  ['parameters propose --samples many', {}, 2, /--samples: "many" is not a whole number of at least 1/],
  [
    'parameters types',
    { types: { 'GET /x': { 'query.page': 'number' }, 'GET /y': {} } },
    0,
    /^'GET \/x': \{ inspect: \{ parameters: \{\n {2}'query\.page': 'number',\n\} \} \},\n$/,
  ],
  ['parameters types "GET /y"', { types: { 'GET /x': { 'query.page': 'number' } } }, 1, /no type is certain/],
  ['parameters types', ['not', 'types'], 1, /no type is certain/],
]

function wordsOf(line: string): readonly string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '')
}

describe('a command that asks the running gateway', () => {
  for (const [line, answer, code, says] of CASES)
    test(`postern ${line}: ${JSON.stringify(answer).slice(0, 60)}`, async () => {
      admin.says(answer)
      const result = await inProcess(wordsOf(line), admin.folder)
      assert.equal(result.code, code, result.stderr)
      assert.match(result.stdout + result.stderr, says)
      assert.doesNotMatch(result.stdout + result.stderr, /mistake in Postern|\u001b/)
    })

  test('sends the token of the run file, and who asks', async () => {
    admin.says({ change: 'changed' })
    admin.asked.length = 0
    await inProcess(['console', 'grant', 'ann', 'viewer', 'approver'], admin.folder)
    assert.equal(admin.asked.length, 1)
    const [{ command, input, token } = assert.fail('nothing was asked')] = admin.asked
    assert.equal(command, 'console/roles')
    assert.equal(token, `Bearer ${TOKEN}`)
    const { operator, ...rest } = input as Readonly<Record<string, Json>>
    assert.equal(typeof operator, 'string')
    assert.deepEqual(rest, { name: 'ann', roles: ['viewer', 'approver'] })
  })

  for (const line of [
    'audit erase ann --yes',
    'parameters forget',
    'console link --name olga',
    'limits reset k',
  ])
    test(`attack: somebody else's name stands in the log for who ran postern ${line}`, async () => {
      admin.says({ index: 1, forgotten: 1, link: 'http://127.0.0.1:1/' })
      admin.asked.length = 0
      await inProcess(wordsOf(line), admin.folder)
      const [{ input } = assert.fail('nothing was asked')] = admin.asked
      assert.equal((input as Readonly<Record<string, Json>>)['operator'], userInfo().username)
    })

  test('prints the answer as it is with --json', async () => {
    admin.says({ edges: [EDGE], left: 0 })
    const { stdout } = await inProcess(['console', 'graph', '--json'], admin.folder)
    assert.deepEqual(JSON.parse(stdout), { edges: [EDGE], left: 0 })
  })

  test('says what the gateway says when it refuses, and the status when it says nothing', async () => {
    admin.says({ error: 'console is not switched on; start the gateway with --console' }, 404)
    const refused = await inProcess(['console', 'operators'], admin.folder)
    assert.equal(refused.code, 3)
    assert.match(refused.stderr, /error: .*console is not switched on; start the gateway with --console/)
    admin.says(['?'], 503)
    const silent = await inProcess(['console', 'operators'], admin.folder)
    assert.equal(silent.code, 3)
    assert.match(silent.stderr, /status 503/)
  })

  test('says that something else has the port when the answer is not that of a gateway', async () => {
    for (const [status, text] of [
      [200, '<!doctype html><h1>Welcome</h1>'],
      [502, 'Bad Gateway'],
      [200, ''],
    ] as const) {
      admin.answer = { status, text }
      const { code, stderr } = await inProcess(['limits', 'reset', '192.0.2.7'], admin.folder)
      assert.equal(code, 3, stderr)
      assert.match(stderr, new RegExp(`what listens there is not a Postern gateway \\(status ${status}\\)`))
      assert.doesNotMatch(stderr, /mistake in Postern/)
    }
  })
})

describe('a gateway that does not answer', () => {
  const gone = new Admin()
  before(() => gone.open())
  after(() => gone.close())

  test('is said to be running and not to answer, when its admin listener is unreachable', async () => {
    gone.leave({ pid: process.pid, admin: 'http://127.0.0.1:1' })
    const { code, stderr } = await inProcess(['console', 'link'], gone.folder)
    assert.equal(code, 3)
    assert.match(stderr, /http:\/\/127\.0\.0\.1:1.* the running gateway does not answer/)
  })

  test('is not running when its process is gone, whatever file it left', async () => {
    gone.leave({ pid: 2 ** 22 + 1, admin: 'http://127.0.0.1:1' })
    assert.match((await inProcess(['console', 'link'], gone.folder)).stderr, /no gateway is running/)
    for (const text of ['{', '[]', '{"pid":"1"}', 'null']) {
      writeFileSync(join(gone.folder, '.postern/gateway.json'), text)
      const { code, stderr } = await inProcess(['console', 'link'], gone.folder)
      assert.equal(code, 3)
      assert.match(stderr, /no gateway is running on this data directory/, text)
    }
  })
})
