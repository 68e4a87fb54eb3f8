import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { type Event, IntegrityError, VirtualClock } from '@postern/core'
import { until } from '../../../test/until.ts'
import type { Entry } from '../src/entry/entry.ts'
import { parseVerifierKey } from '../src/format/note-key.ts'
import {
  type AuditLogReader,
  checkExport,
  exportTenant,
  fileCursor,
  httpAnchor,
  openAuditLog,
  readAuditLog,
  readSigningKeys,
  Shipper,
  type Sink,
  SyslogSink,
  toCef,
  toOcsf,
  WebhookSink,
} from '../src/index.ts'
import { conformance } from './support/conformance.ts'
import { collect, freshDirectory, requestEvent } from './support/events.ts'
import { OcsfSchema } from './support/ocsf-schema.ts'

const origin = 'shop.example.com/audit'

const refused: Event = requestEvent(2, {
  decision: 'deny',
  guard: 'inspect',
  reasons: [
    {
      rule: 'inspect/sqli',
      message: 'The request looks like an attack.',
      evidence: { location: 'query.id', span: "1' OR 1=1" },
    },
  ],
  outcome: { status: 403, duration: 1, bytes: 0, aborted: false },
})
const actor = { address: '2001:db8::1', principal: 'alice', tenant: 'acme' }
const time = Date.UTC(2026, 0, 1)

/** One event of every kind that is distinguished. */
const EVENTS: readonly Event[] = [
  requestEvent(1),
  refused,
  ...['throttle', 'challenge', 'allow'].map(decision => requestEvent(3, { decision: decision as 'allow' })),
  ...['GET', 'POST', 'PUT', 'PATCH', 'PROPFIND'].map(method =>
    requestEvent(4, { request: { id: 'x', method, host: 'h', path: '/', query: 'a=b' } }),
  ),
  ...[
    'login.failed',
    'login.succeeded',
    'logout',
    'session.created',
    'session.revoked',
    'account.created',
    'account.deleted',
    'account.locked',
    'account.unlocked',
    'password.changed',
    'password.reset',
    'mfa.added',
    'passkey.removed',
    'role.granted',
    'role.revoked',
    'vault.decrypt',
    'vault.encrypted',
    'budget.exceeded',
    'page.viewed',
    'remediation.added',
    'config.reloaded',
    'audit.lost',
  ].map(type => ({ type, time, actor })),
  { type: 'config.reloaded', time, actor: {} },
  { type: 'operator', time, actor, action: 'ban', resource: { type: 'actor' }, data: { actor: '192.0.2.1' } },
  { type: 'login.failed', time, actor: { address: '192.0.2.1' } },
  {
    type: 'finding',
    time,
    actor,
    resource: { type: 'order', id: '7' },
    data: {
      scenario: 'login/guessing',
      title: 'Somebody guesses passwords',
      severity: 'high',
      actorKind: 'address',
      actorValue: '192.0.2.1',
      count: 20,
      requests: [],
    },
  },
]

const directories = new WeakMap<AuditLogReader, string>()

function directoryOf(reader: AuditLogReader): string {
  return directories.get(reader) ?? assert.fail('not opened here')
}

async function logOf(t: TestContext, events: readonly Event[]): Promise<AuditLogReader> {
  const directory = freshDirectory()
  const log = await openAuditLog({ directory, origin })
  for (const event of events) await log.commit(event)
  await log.close()
  const reader = readAuditLog(directory)
  t.after(() => reader.close())
  directories.set(reader, directory)
  return reader
}

async function entryOf(reader: AuditLogReader, index: bigint): Promise<Entry> {
  for await (const entry of reader.entries(index, index + 1n)) return entry
  return assert.fail(`no entry ${index}`)
}

async function listening(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

describe('OCSF', () => {
  const material = conformance('ocsf')

  test('events of every kind have what their class requires, only what it knows, and only values it names', {
    skip: material.skip,
  }, async t => {
    const schema = new OcsfSchema(material.path)
    const reader = await logOf(t, EVENTS)
    const classes = new Set<number>()
    for await (const entry of reader.entries(0n)) {
      const event = toOcsf(entry)
      assert.deepEqual(schema.problems(event), [], `${entry.event.type}: ${JSON.stringify(event)}`)
      classes.add(Number(event['class_uid']))
    }
    assert.deepEqual([...classes].sort(), [2004, 3001, 3002, 3003, 3005, 6001, 6003, 6005])
  })

  test('an event with something missing or unknown is found out by the schema', {
    skip: material.skip,
  }, async t => {
    const schema = new OcsfSchema(material.path)
    const reader = await logOf(t, [requestEvent(1)])
    const [entry] = await collect(reader.entries(0n))
    const event = toOcsf(entry as Entry)
    const { time: _time, ...timeless } = event
    assert.ok(schema.problems(timeless).length > 0)
    assert.ok(schema.problems({ ...event, severity_id: 42 }).length > 0)
    assert.ok(schema.problems({ ...event, colour: 'red' }).length > 0)
  })
})

describe('CEF', () => {
  test('escapes what would end a field or a line', async t => {
    const reader = await logOf(t, [
      {
        ...refused,
        type: 'a|b\\c',
        action: 'x',
        actor: { principal: 'eve=1\nCEF:0|forged', address: '192.0.2.1' },
        reasons: [{ rule: 'r', message: 'a|b\r\nc' }],
      },
    ])
    const entry = await entryOf(reader, 0n)
    const line = toCef(entry)
    assert.ok(line.startsWith('CEF:0|Postern|Postern|0.1|a\\|b\\\\c|a\\|b c|5|'))
    assert.ok(line.includes('suser=eve\\=1\\nCEF:0|forged '))
    const hostile = {
      ...entry,
      event: { ...entry.event, actor: { principal: '\u001b]0;owned\u0007\u009b2J\u2028x' } },
    }
    assert.doesNotMatch(toCef(hostile), /[\u0000-\u001f\u007f-\u009f\u2028]/)
    assert.equal(line.includes('\n'), false)
  })
})

describe('an export of a tenant', () => {
  test('shows by itself that it is whole', async t => {
    const reader = await logOf(
      t,
      Array.from({ length: 40 }, (_, i) => requestEvent(i)),
    )
    const verifiers = (await reader.verifierKeys()).map(key => parseVerifierKey(key))
    const lines: string[] = []
    for await (const line of exportTenant(reader, 'acme')) lines.push(line)
    const checked = await checkExport(lines, verifiers)
    assert.deepEqual([checked.tenant, checked.count, checked.checkpoint.size], ['acme', 14, 40n])
    await assert.rejects(
      checkExport([...lines.slice(0, 5), ...lines.slice(6)], verifiers),
      /lacks entry number 5/,
    )
    await assert.rejects(checkExport(lines.slice(0, -1), verifiers), /cut off/)
    await assert.rejects(
      checkExport(lines.with(3, (lines[3] ?? '').replace('204', '205')), verifiers),
      IntegrityError,
    )
    await assert.rejects(checkExport([...lines.slice(0, -2), ...lines.slice(-1)], verifiers), IntegrityError)
    await assert.rejects(checkExport(['', 'null', ...lines], verifiers), IntegrityError)
    await assert.rejects(checkExport([], verifiers), /cut off/)
  })

  test('from whose end entries were cut, with the count made to fit, is found by the signed count', async t => {
    const reader = await logOf(
      t,
      Array.from({ length: 40 }, (_, i) => requestEvent(i)),
    )
    const verifiers = (await reader.verifierKeys()).map(key => parseVerifierKey(key))
    const signers = readSigningKeys(`${directoryOf(reader)}-keys`, origin)
    const lines = await collect(exportTenant(reader, 'acme', { signers }))
    assert.equal((await checkExport(lines, verifiers)).isComplete, true)
    const end = JSON.parse(lines.at(-1) ?? '') as { readonly count: number; readonly complete: string }
    const cut = (complete: object): readonly string[] => [
      ...lines.slice(0, -3),
      JSON.stringify({ end: true, count: end.count - 2, ...complete }),
    ]
    await assert.rejects(
      checkExport(cut({ complete: end.complete }), verifiers),
      /entries are missing at the end/,
    )
    const forged = end.complete.replace(`\n${end.count}\n`, `\n${end.count - 2}\n`)
    await assert.rejects(checkExport(cut({ complete: forged }), verifiers), /signature .* is invalid/)
    await assert.rejects(checkExport(cut({ complete: await reader.checkpoint() }), verifiers), IntegrityError)
    assert.equal((await checkExport(cut({}), verifiers)).isComplete, false)
  })
})

describe('a sink', () => {
  test('over syslog gets every entry once and in order, in frames of RFC 6587', async t => {
    let received = ''
    const sockets: Socket[] = []
    const server = createServer(socket => {
      sockets.push(socket)
      socket.setEncoding('utf8').on('data', (chunk: string) => {
        received += chunk
      })
    })
    const port = await listening(t, server)
    const reader = await logOf(
      t,
      Array.from({ length: 30 }, (_, i) => requestEvent(i)),
    )
    const shipper = new Shipper({
      reader,
      sink: new SyslogSink({ host: '127.0.0.1', port, hostname: 'gate 1' }),
      cursor: fileCursor(`${freshDirectory()}/cursor`),
      batch: 7,
    })
    await shipper.ship()
    assert.equal(shipper.next, 30n)
    await shipper.close()
    await Promise.all(sockets.map(socket => (socket.readableEnded ? undefined : once(socket, 'end'))))
    const messages: string[] = []
    for (let rest = Buffer.from(received); rest.length > 0; ) {
      const space = rest.indexOf(' ')
      const length = Number(rest.subarray(0, space).toString())
      messages.push(rest.subarray(space + 1, space + 1 + length).toString())
      rest = rest.subarray(space + 1 + length)
    }
    assert.equal(messages.length, 30)
    for (const [i, message] of messages.entries()) {
      assert.match(message, /^<110>1 2026-01-01T00:\d\d:\d\d\.000Z gate1 postern \d+ http - \ufeffCEF:0\|/)
      assert.ok(message.includes(`externalId=${i} `))
    }
  })

  test('over TLS checks the certificate', async t => {
    const folder = freshDirectory()
    mkdirSync(folder)
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=collector.test',
        '-addext',
        'subjectAltName=DNS:collector.test',
        '-keyout',
        `${folder}/key.pem`,
        '-out',
        `${folder}/cert.pem`,
      ],
      { stdio: 'ignore' },
    )
    const [key, cert] = [
      readFileSync(`${folder}/key.pem`, 'utf8'),
      readFileSync(`${folder}/cert.pem`, 'utf8'),
    ]
    let bytes = 0
    const server = createTlsServer({ key, cert }, socket => {
      socket.on('data', chunk => {
        bytes += chunk.length
      })
      socket.on('error', () => {})
    })
    server.on('tlsClientError', () => {})
    const port = await listening(t, server)
    const reader = await logOf(t, [requestEvent(1)])
    const stranger = new Shipper({
      reader,
      sink: new SyslogSink({ host: '127.0.0.1', port, tls: { servername: 'collector.test' } }),
      cursor: fileCursor(`${freshDirectory()}/c`),
    })
    await stranger.ship()
    assert.equal(stranger.health().ok, false)
    assert.equal(bytes, 0)
    await stranger.close()
    const known = new Shipper({
      reader,
      sink: new SyslogSink({ host: '127.0.0.1', port, tls: { servername: 'collector.test', ca: cert } }),
      cursor: fileCursor(`${freshDirectory()}/c`),
    })
    await known.ship()
    assert.deepEqual([known.health().ok, known.next], [true, 1n])
    await known.close()
  })

  test('that accepts a connection and then says nothing leaves no connection open', async t => {
    const open = new Set<Socket>()
    let made = 0
    const server = createServer(socket => {
      made++
      open.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => open.delete(socket)).resume()
    })
    const port = await listening(t, server)
    const reader = await logOf(t, [requestEvent(0)])
    const sink = new SyslogSink({ host: '127.0.0.1', port, tls: {} })
    for (let i = 0; i < 3; i++)
      await assert.rejects(
        sink.send([await entryOf(reader, 0n)], AbortSignal.timeout(200)),
        /does not answer/,
      )
    await until(() => made === 3 && open.size === 0)
    sink.close()
  })

  test('that hangs or refuses holds up nothing, says so, and gets everything when it is back', async t => {
    let status = 500
    const bodies: {
      readonly id: string
      readonly signature: string
      readonly signed: string
      readonly lines: number
    }[] = []
    const hung: { end(): void }[] = []
    const server = createHttpServer((request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk
      })
      request.on('end', () => {
        if (status === 0) {
          hung.push(response)
          return
        }
        if (status === 204) {
          const id = String(request.headers['webhook-id'])
          const signed = `${id}.${String(request.headers['webhook-timestamp'])}.${body}`
          bodies.push({
            id,
            signature: String(request.headers['webhook-signature']),
            signed,
            lines: body.trim().split('\n').length,
          })
        }
        response.writeHead(status).end()
      })
    })
    const port = await listening(t, server)
    const reader = await logOf(
      t,
      Array.from({ length: 5 }, (_, i) => requestEvent(i)),
    )
    const secret = Buffer.alloc(32, 5).toString('base64')
    const cursor = fileCursor(`${freshDirectory()}/cursor`)
    const sink = (): WebhookSink =>
      new WebhookSink({ url: `http://127.0.0.1:${port}/hook`, secret: `whsec_${secret}` })
    const shipper = new Shipper({ reader, sink: sink(), cursor, timeout: '500ms', batch: 3 })
    await shipper.ship()
    assert.match(shipper.health().detail ?? '', /answered 500; waits at entry 0/)
    status = 0
    await shipper.ship()
    assert.deepEqual([shipper.health().ok, shipper.health().required], [false, false])
    for (const response of hung) response.end()
    status = 204
    await shipper.ship()
    assert.deepEqual([shipper.health().ok, shipper.next], [true, 5n])
    await shipper.close()
    assert.deepEqual(
      bodies.map(({ id, lines }) => [id, lines]),
      [
        [`audit-0-2-${(await entryOf(reader, 2n)).leafHash.slice(0, 16)}`, 3],
        [`audit-3-4-${(await entryOf(reader, 4n)).leafHash.slice(0, 16)}`, 2],
      ],
    )
    for (const { signature, signed } of bodies)
      assert.equal(
        signature,
        `v1,${createHmac('sha256', Buffer.from(secret, 'base64')).update(signed).digest('base64')}`,
      )
    const again = new Shipper({ reader, sink: sink(), cursor })
    await again.ship()
    assert.equal(bodies.length, 2)
    await again.close()
  })

  /** Takes batches in memory; `answer` says what becomes of each. */
  function memorySink(answer: (entries: readonly Entry[]) => 'taken' | 'too-large' | Error): {
    readonly sink: Sink
    readonly batches: (readonly number[])[]
  } {
    const batches: (readonly number[])[] = []
    const send = async (entries: readonly Entry[]): Promise<'taken' | 'too-large'> => {
      await Promise.resolve()
      const answered = answer(entries)
      batches.push(entries.map(({ index }) => Number(index)))
      if (answered instanceof Error) throw answered
      return answered
    }
    return { sink: { name: 'memory', send, close: () => undefined }, batches }
  }

  test('that takes no more than so much at once gets smaller batches, every entry once', async t => {
    const reader = await logOf(
      t,
      Array.from({ length: 20 }, (_, i) => requestEvent(i)),
    )
    // With an intent as the gateway has it, too: the whole batch would come back from there without end.
    for (const hasIntent of [false, true]) {
      const folder = freshDirectory()
      const taken: number[] = []
      let refused = 0
      const { sink } = memorySink(entries => {
        assert.ok(refused < 100, 'the same batch is sent without end')
        if (entries.length > 3) {
          refused++
          return 'too-large'
        }
        taken.push(...entries.map(({ index }) => Number(index)))
        return 'taken'
      })
      const intent = hasIntent ? { intent: fileCursor(`${folder}/i`) } : {}
      const shipper = new Shipper({ reader, sink, cursor: fileCursor(`${folder}/c`), batch: 16, ...intent })
      await shipper.ship()
      assert.deepEqual(
        taken,
        Array.from({ length: 20 }, (_, i) => i),
      )
      assert.deepEqual([shipper.health().ok, shipper.behind], [true, 0])
      await shipper.close()
    }
  })

  test('that took half of a batch and then failed gets that half again after a restart, not the whole', async t => {
    const reader = await logOf(
      t,
      Array.from({ length: 8 }, (_, i) => requestEvent(i)),
    )
    const folder = freshDirectory()
    const { sink, batches } = memorySink(entries => {
      if (entries.length > 4) return 'too-large'
      return batches.length < 2 ? new Error('down') : 'taken'
    })
    const options = { reader, sink, cursor: fileCursor(`${folder}/c`), intent: fileCursor(`${folder}/i`) }
    const before = new Shipper(options)
    await before.ship()
    await before.close()
    const after = new Shipper({ ...options, batch: 4 })
    await after.ship()
    assert.deepEqual(batches, [
      [0, 1, 2, 3, 4, 5, 6, 7],
      [0, 1, 2, 3],
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ])
    await after.close()
  })

  test('that needs longer than the time for a batch gets the same batch with twice the time, and smaller ones afterwards', async t => {
    const reader = await logOf(
      t,
      Array.from({ length: 24 }, (_, i) => requestEvent(i)),
    )
    const batches: (readonly number[])[] = []
    let late = 3
    const sink: Sink = {
      name: 'memory',
      send: (entries, signal) => {
        batches.push(entries.map(({ index }) => Number(index)))
        if (late-- <= 0) return Promise.resolve('taken')
        return new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true })
        })
      },
      close: () => undefined,
    }
    const cursor = fileCursor(`${freshDirectory()}/c`)
    const shipper = new Shipper({ reader, sink, cursor, batch: 16, timeout: '20ms' })
    const details: (string | undefined)[] = []
    for (let attempt = 0; attempt < 3; attempt++) {
      await shipper.ship()
      details.push(/within \d+ ms/.exec(shipper.health().detail ?? '')?.[0])
    }
    assert.deepEqual(details, ['within 20 ms', 'within 40 ms', 'within 80 ms'])
    await shipper.ship()
    assert.deepEqual([shipper.health().ok, shipper.behind], [true, 0])
    const sizes = batches.map(({ length }) => length)
    assert.deepEqual(sizes.slice(0, 5), [16, 16, 16, 16, 2])
    assert.equal(new Set(batches.slice(0, 4).map(batch => batch.join())).size, 1, 'the same batch')
    assert.deepEqual(
      [...new Set(batches.flat())],
      Array.from({ length: 24 }, (_, i) => i),
    )
    await shipper.close()
  })

  test('that refuses a single entry as too large is named, with the entry, and nothing is skipped', async t => {
    const reader = await logOf(t, [requestEvent(0), requestEvent(1), requestEvent(2)])
    const { sink } = memorySink(entries =>
      entries.some(({ index }) => index === 1n) ? 'too-large' : 'taken',
    )
    const shipper = new Shipper({ reader, sink, cursor: fileCursor(`${freshDirectory()}/c`) })
    await shipper.ship()
    assert.match(shipper.health().detail ?? '', /refuses this one entry as too large.*waits at entry 1/)
    assert.deepEqual([shipper.next, shipper.behind], [1n, 2])
    await shipper.close()
  })

  test('over HTTP says too large with 413', async t => {
    const server = createHttpServer((request, response) => {
      request.resume().on('end', () => response.writeHead(413).end())
    })
    const port = await listening(t, server)
    const reader = await logOf(t, [requestEvent(0)])
    const sink = new WebhookSink({
      url: `http://127.0.0.1:${port}/`,
      secret: Buffer.alloc(32).toString('base64'),
    })
    assert.equal(await sink.send([await entryOf(reader, 0n)], AbortSignal.timeout(5_000)), 'too-large')
  })

  test('entries and secrets go to another machine encrypted, or when somebody says so', () => {
    const secret = Buffer.alloc(32).toString('base64')
    for (const url of [
      'https://siem.example/',
      'http://127.0.0.1:1/',
      'http://[::1]:1/',
      'http://localhost/',
    ])
      assert.equal(new WebhookSink({ url, secret }).name, `webhook ${new URL(url).host}`)
    for (const url of [
      'http://siem.example/',
      'http://10.0.0.1/',
      'http://127.0.0.1.evil.example/',
      'ftp://127.0.0.1/',
    ]) {
      assert.throws(() => new WebhookSink({ url, secret }), /without encryption/, url)
      assert.throws(() => httpAnchor({ url, authorization: 'Bearer x' }), /without encryption/, url)
    }
    assert.equal(
      new WebhookSink({ url: 'http://siem.example/', secret, plain: 'allow' }).name,
      'webhook siem.example',
    )
    assert.equal(httpAnchor({ url: 'http://anchor.example/' }).name, 'http anchor.example')
  })

  test('that failed gets the same batch again, even when more was logged meanwhile', async t => {
    const directory = freshDirectory()
    const log = await openAuditLog({ directory, origin })
    t.after(() => log.close())
    for (let i = 0; i < 3; i++) await log.commit(requestEvent(i))
    await log.checkpoint()
    const reader = readAuditLog(directory)
    t.after(() => reader.close())
    let fails = true
    const { sink, batches } = memorySink(() => (fails ? new Error('down') : 'taken'))
    const shipper = new Shipper({ reader, sink, cursor: fileCursor(`${freshDirectory()}/c`) })
    await shipper.ship()
    await log.append(requestEvent(3))
    fails = false
    await shipper.ship()
    assert.deepEqual(batches, [[0, 1, 2], [0, 1, 2], [3]])
    await shipper.close()
  })

  test('that failed gets the same batch again after a restart too, and never an entry under another id', async t => {
    const directory = freshDirectory()
    const log = await openAuditLog({ directory, origin })
    t.after(() => log.close())
    for (let i = 0; i < 3; i++) await log.commit(requestEvent(i))
    await log.checkpoint()
    const reader = readAuditLog(directory)
    t.after(() => reader.close())
    const place = freshDirectory()
    const open = (sink: Sink): Shipper =>
      new Shipper({ reader, sink, cursor: fileCursor(`${place}/c`), intent: fileCursor(`${place}/e`) })
    // It took the batch, and its answer was lost.
    const before = memorySink(() => new Error('the connection broke'))
    const first = open(before.sink)
    await first.ship()
    await first.close()
    for (let i = 3; i < 8; i++) await log.commit(requestEvent(i))
    await log.checkpoint()
    const after = memorySink(() => 'taken')
    const second = open(after.sink)
    await second.ship()
    await second.close()
    assert.deepEqual(
      [...before.batches, ...after.batches],
      [
        [0, 1, 2],
        [0, 1, 2],
        [3, 4, 5, 6, 7],
      ],
    )
  })

  test('that asks for a pause is asked again after it, and health names it', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let asked = 0
    let answer = { status: 429, after: '120' }
    const clock = new VirtualClock()
    const sink = new WebhookSink({
      clock,
      url: 'https://collector.test/',
      secret: Buffer.alloc(32).toString('base64'),
      fetch: async () => {
        asked++
        const headers = answer.after === '' ? {} : { 'retry-after': answer.after }
        return new Response(null, { status: answer.status, headers })
      },
    })
    const reader = await logOf(t, [requestEvent(0)])
    const shipper = new Shipper({ reader, sink, cursor: fileCursor(`${freshDirectory()}/c`) })
    const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
    shipper.start()
    t.mock.timers.tick(1_000)
    await shipper.ship()
    await turn()
    assert.match(shipper.health().detail ?? '', /answered 429 and asks for a pause of 2m; waits at entry 0/)
    t.mock.timers.tick(119_000)
    await turn()
    assert.equal(asked, 1)
    t.mock.timers.tick(1_000)
    await shipper.ship()
    assert.equal(asked, 2)
    await shipper.close()
    for (const [value, shown] of [
      ['7200', '1h'],
      [new Date(clock.now() + 300_000).toUTCString(), '5m'],
      ['0', '1s'],
    ] as const) {
      answer = { status: 503, after: value }
      const again = new Shipper({ reader, sink, cursor: fileCursor(`${freshDirectory()}/c`) })
      await again.ship()
      assert.match(again.health().detail ?? '', new RegExp(`answered 503 and asks for a pause of ${shown};`))
      await again.close()
    }
    answer = { status: 503, after: '' }
    await assert.rejects(sink.send([await entryOf(reader, 0n)], AbortSignal.timeout(5_000)), /answered 503$/)
  })

  test('that took a batch and breaks off its answer has taken it', async t => {
    const server = createHttpServer((request, response) => {
      request.resume().on('end', () => {
        response.writeHead(200, { 'content-length': '1000' })
        response.write('{"ok":', () => request.socket.destroy())
      })
    })
    const port = await listening(t, server)
    const reader = await logOf(t, [requestEvent(0)])
    const sink = new WebhookSink({
      url: `http://127.0.0.1:${port}/`,
      secret: Buffer.alloc(32).toString('base64'),
    })
    assert.equal(await sink.send([await entryOf(reader, 0n)], AbortSignal.timeout(5_000)), 'taken')
  })

  test('of a log that was restored, and has grown since, gets every entry that was made after', async t => {
    const directory = freshDirectory()
    const log = await openAuditLog({ directory, origin })
    t.after(() => log.close())
    for (let i = 0; i < 2; i++) await log.commit(requestEvent(i))
    await log.checkpoint()
    const reader = readAuditLog(directory)
    t.after(() => reader.close())
    const cursor = fileCursor(`${freshDirectory()}/c`)
    await cursor.advance(4n)
    const { sink, batches } = memorySink(() => 'taken')
    const shipper = new Shipper({ reader, sink, cursor })
    await shipper.begin()
    for (let i = 2; i < 6; i++) await log.commit(requestEvent(i))
    await log.checkpoint()
    await shipper.ship()
    assert.deepEqual(batches.flat(), [2, 3, 4, 5])
    assert.match(shipper.health().detail ?? '', /4 entries were sent of a log that has 2: it was restored/)
    await shipper.close()
  })

  test('of a log that was restored from an older copy gets what is entered from then on, and health says so', async t => {
    const reader = await logOf(t, [requestEvent(0), requestEvent(1)])
    const cursor = fileCursor(`${freshDirectory()}/c`)
    await cursor.advance(7n)
    const { sink, batches } = memorySink(() => 'taken')
    const shipper = new Shipper({ reader, sink, cursor })
    await shipper.ship()
    assert.deepEqual([batches, shipper.next], [[], 2n])
    assert.match(shipper.health().detail ?? '', /7 entries were sent of a log that has 2: it was restored/)
    assert.equal(await cursor.take(), 2n)
    await shipper.close()
  })
})
