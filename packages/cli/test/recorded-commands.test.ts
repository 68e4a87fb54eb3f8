import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { loadConfig } from '@postern/config'
import type { Event, EventRequest } from '@postern/core'
import { Connections, openAudit } from '@postern/runtime'
import { openSqlite } from '@postern/store'
import { type InProcessOptions, inProcess } from './in-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-recorded-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const NOON = Date.UTC(2026, 4, 4, 12)
const ID = { refused: '1m8atsqfac8s20s00001', observed: '1m8atsqfac8s20s00002', odd: '1m8atsqfac8s20s00003' }

function request(id: string, more: Partial<EventRequest> = {}): EventRequest {
  return { id, method: 'GET', host: 'shop.example', path: '/search', query: 'q=1', ...more }
}

const EVENTS: readonly Event[] = [
  {
    type: 'http',
    time: NOON,
    actor: { address: '203.0.113.9', principal: 'user:ann', agent: 'curl/8' },
    request: request(ID.refused, { route: '/search' }),
    decision: 'deny',
    guard: 'inspect',
    outcome: { status: 403, duration: 1.25, bytes: 10, aborted: false },
    reasons: [
      {
        rule: 'inspect/xss/element',
        message: 'The request looks like an attack and was refused.',
        evidence: { location: 'query.q', span: '<script>\u001b[31m', facts: { score: 6 } },
        exception: {
          changes: [{ at: ['inspect', 'except'], add: [{ rule: 'xss/element', parameter: 'query.q' }] }],
          command: 'postern unban 203.0.113.9',
          covers: ['remediation/block'],
        },
      },
    ],
  },
  {
    type: 'http',
    time: NOON + 60_000,
    actor: { address: '203.0.113.9' },
    request: request(ID.observed, { query: '' }),
    decision: 'allow',
    observed: 'throttle',
    guard: 'throttle',
    reasons: [
      { rule: 'limit/address', message: 'Too many requests.', exception: 'an exception as text' as never },
    ],
  },
  { type: 'http', time: NOON + 120_000, actor: {}, request: request(ID.odd), reasons: [] },
  {
    type: 'finding',
    time: NOON + 180_000,
    actor: { address: '203.0.113.9' },
    data: { scenario: 'http-probing', actorValue: '203.0.113.9' },
  },
  {
    type: 'remediation.added',
    time: NOON + 240_000,
    actor: { address: '203.0.113.9' },
    data: { actorValue: '203.0.113.9', measure: 'block', reason: 'probing' },
  },
  { type: 'order.refunded', time: NOON + 300_000, actor: { principal: 'user:ann', tenant: 'acme' } },
]

/** What is printed in the folder with the log, as one text. */
async function printed(
  line: string,
  options: InProcessOptions = {},
  at: string = folder,
): Promise<{ readonly code: number | null; readonly text: string; readonly stdout: string }> {
  const args = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '')
  const { code, stdout, stderr } = await inProcess(args, at, options)
  assert.doesNotMatch(stderr, /mistake in Postern|\n {4}at /)
  return { code, text: stdout + stderr, stdout }
}

before(async () => {
  const setup = {
    ...(await loadConfig({ folder, environment: {} })),
    dataDirectory: join(folder, '.postern'),
  }
  const connections = new Connections(setup.config, setup.dataDirectory)
  const opened = await openAudit(setup, connections)
  assert.ok(opened)
  for (const event of EVENTS) await opened.log.append(event)
  await opened.log.checkpoint()
  await opened.log.close()
  await connections.close()
})

type Case = readonly [line: string, code: number, says: RegExp]

describe('commands over a log in the data directory', () => {
  const cases: readonly Case[] = [
    ['audit verify', 0, /intact: 6 entries of .*\nThe log vouched for itself; give its key with --key/],
    ['audit verify --quiet', 0, /intact: 6 entries of [^\n]*\n$/],
    ['audit verify --json', 0, /"ok":true/],
    ['audit verify --key nonsense', 2, /error: --key: /],
    ['audit verify --remembered none', 2, /none: there is no such file or folder/],
    [
      'audit search --decision deny',
      0,
      /^ +0 {2}2026-05-04 12:00:00\.000 deny +403 GET \/search\?q=1 1\.3 ms/,
    ],
    [
      'audit search --decision would-throttle',
      0,
      /would throttle --- GET \/search 0\.0 ms\n +limit\/address/,
    ],
    ['audit search --decision maybe', 2, /"maybe" is not a decision\n {2}hint: allow, .*would-deny/],
    ['audit search --since whenever', 2, /--since: "whenever" is not a time/],
    ['audit search --until 2026-05-04T12:01:30Z --type http', 0, /12:01:00\.000[\s\S]*12:00:00\.000/],
    ['audit search --limit 0', 2, /"0" is not a whole number of at least 1/],
    ['audit search --limit 1 --principal user:ann', 0, /order\.refunded/],
    ['audit search --tenant acme', 0, /order\.refunded/],
    ['audit search --address 203.0.113.9 --text probing', 0, /remediation\.added 203\.0\.113\.9 block/],
    ['audit search --address "not an address"', 2, /"not an address" is not an IP address/],
    ['audit search --request 1m8atsqfac8s20s00009', 1, /nothing matches/],
    ['audit search --type finding', 0, /found http-probing: 203\.0\.113\.9/],
    ['audit tail', 0, /GET \/search[\s\S]*order\.refunded/],
    ['audit tail --lines 1', 0, /^ +5 [^\n]*order\.refunded[^\n]*\n$/],
    ['audit tail --lines 0', 0, /^$/],
    ['audit export', 0, /("type":"http"[\s\S]*){3}6 lines/],
    ['audit export --format ocsf --type finding', 0, /"class_uid":[\s\S]*1 line\n/],
    ['audit export --format cef --decision deny', 0, /^CEF:0\|/],
    ['audit proof 0', 0, /^c2sp\.org\/tlog-proof@v1\n/],
    ['audit proof 99', 2, /entry: /],
    ['audit checkpoint', 0, /\n6\n/],
    ['audit rebuild', 0, /the index says exactly what the 6 entries of the log say/],
    ['audit rebuild --replace --json', 0, /"identical":true,"replaced":true/],
    [
      `explain ${ID.refused}`,
      0,
      /matched {3}<script>·?\n[\s\S]*score +6[\s\S]*also +lifts remediation\/block/,
    ],
    [
      `explain "X-Request-Id: ${ID.observed}"`,
      0,
      /decision {2}allow; would throttle if it were enforced by throttle[\s\S]*an exception as text/,
    ],
    [`explain ${ID.odd}`, 0, /who +unknown\n {2}decision {2}none\n {2}entry +2/],
    [`explain ${ID.observed} --apply`, 1, /nothing in the configuration can let it pass/],
    [`explain "${ID.refused} ${ID.odd}"`, 2, /holds several ids/],
    ['why 203.0.113.9', 1, /no remediations apply[\s\S]*latest recorded:[\s\S]*GET \/search\?q=1/],
    ['why principal:user:ann', 1, /order\.refunded/],
    ['why tenant:acme', 1, /^no remediations apply to tenant:acme\n$/],
    [
      'report --since 2026-01-01',
      0,
      /1 request would have been refused: 0 denied, 1 throttled, 0 challenged/,
    ],
    [
      'report --since 1h',
      0,
      /nothing would have been refused\nThe report counts requests that mode: 'observe'/,
    ],
    ['report --since 2026-01-01 --top 1 --json', 0, /"throttled":1/],
  ]
  for (const [line, code, says] of cases)
    test(`postern ${line}`, async () => {
      const result = await printed(line)
      assert.equal(result.code, code, result.text)
      assert.match(result.text, says)
      assert.doesNotMatch(result.text, /\u001b/)
    })

  test('a terminal gets colours and a bar that is taken away again', async () => {
    const { code, text } = await printed('audit verify', { at: 'terminal' })
    assert.equal(code, 0)
    assert.match(text, /\u001b\[32mintact\u001b\[39m/)
  })

  test('an exception is applied to YAML, and the command that it needs is named', async () => {
    const path = join(folder, 'postern.config.yaml')
    writeFileSync(path, '# ours\nmode: enforce\n')
    try {
      const { code, text } = await printed(`explain ${ID.refused} --apply`)
      assert.equal(code, 0, text)
      assert.match(text, /written into .*postern\.config\.yaml\nnow run {2}postern unban 203\.0\.113\.9/)
      assert.match(readFileSync(path, 'utf8'), /^# ours\nmode: enforce\n[\s\S]*rule: xss\/element/)
    } finally {
      rmSync(path)
    }
  })

  test('a configuration that is a program is edited by people', async () => {
    const path = join(folder, 'postern.config.mjs')
    writeFileSync(path, 'export default {}\n')
    try {
      const applied = await printed(`explain ${ID.refused} --apply`)
      assert.equal(applied.code, 1)
      assert.match(applied.text, /postern\.config\.mjs is a program: write the change above into it yourself/)
      const typed = await printed('parameters types set "GET /items" query.page number')
      assert.equal(typed.code, 1)
      assert.match(
        typed.text,
        /is a program: write this under "routes" yourself\n {2}'GET \/items': \{ inspect/,
      )
      assert.equal(readFileSync(path, 'utf8'), 'export default {}\n')
    } finally {
      rmSync(path)
    }
  })
})

describe('a log that is changed by operators', () => {
  test('forgets a person for good, and says which entry records it', async () => {
    const { code, text } = await printed('audit erase user:ann --yes')
    assert.equal(code, 0, text)
    assert.match(
      text,
      /what the entries of user:ann said of them can no longer be read; entry \d+ records it/,
    )
    const [, search = ''] =
      /entries of others that name them, .* stay: postern (audit search .*)/.exec(text) ?? []
    assert.equal(search, 'audit search --text=ann')
    assert.equal((await printed(search)).code, 0)
    const { stdout: acts } = await printed('audit search --type operator --action audit.erase --json')
    assert.match(acts, new RegExp(`"principal":"operator:${userInfo().username}"`))
    assert.doesNotMatch(acts, /user:ann/)
    const { text: shown } = await printed('audit search --type order.refunded')
    assert.match(shown, /nothing matches|personal part erased|order\.refunded/)
    assert.equal((await printed('audit verify')).code, 0)
  })

  for (const line of [
    'ban principal:eve@shop.example --for 1h',
    'unban principal:eve@shop.example',
    'sessions revoke principal:eve@shop.example',
  ])
    test(`names no person where the log stays readable forever: ${line}`, async () => {
      await printed(line)
      const database = openSqlite({ path: join(folder, '.postern/postern.db') })
      const waiting = database.db.prepare('SELECT event FROM audit_outbox ORDER BY id DESC LIMIT 1').get()
      database.close()
      const { actor, data, ...open } = JSON.parse(String(waiting?.['event'])) as Event
      assert.match(JSON.stringify({ actor, data }), /eve@shop/)
      assert.doesNotMatch(JSON.stringify(open), /eve@shop/)
    })

  test('is pruned in whole bundles, so that a small one stays', async () => {
    const { code, text } = await printed('audit prune --keep 1d --yes')
    assert.equal(code, 0, text)
    assert.match(text, /^0 bundles of 256 entries removed; the log is readable from entry 0 on/)
  })

  test('accepts a rollback only when that is meant, and goes on', async () => {
    const { code, text } = await printed('audit accept-rollback --yes')
    assert.equal(code, 0, text)
    assert.match(text, /the log continues with \d+ entries/)
    const { stdout } = await printed('audit search --type operator --action audit.accept-rollback --json')
    assert.match(stdout, new RegExp(`"principal":"operator:${userInfo().username}"`))
  })

  test('says that it is switched off, where it is', async () => {
    const off = join(folder, 'off')
    mkdirSync(join(off, '.postern'), { recursive: true })
    writeFileSync(join(off, 'postern.config.yaml'), 'audit: false\n')
    for (const line of ['audit erase ann --yes', 'audit accept-rollback --yes']) {
      const { code, text } = await printed(line, {}, off)
      assert.equal(code, 2, text)
      assert.match(text, /audit: is switched off in this configuration/)
    }
  })

  test('is not what was written, when a byte of it was changed: 4, with the place', async () => {
    const path = join(folder, '.postern/audit/checkpoint')
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replace(/\n(\d+)\n/, '\n1\n'))
    const { code, text: said } = await printed('audit verify')
    assert.equal(code, 4, said)
    assert.match(said, /CHANGED: \d+ problems?\n {2}.* bytes \d+ to \d+: /)
  })
})
