import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type BodyGate,
  CidrSet,
  type Decision,
  Exchange,
  type Guard,
  type Mode,
  type RequestSource,
  RouteTable,
} from '@postern/core'
import { inspectionGuard } from '../src/guard/inspection-guard.ts'

const JSON_TYPE = 'application/json'
const START = '{"items":["Oak chair","Oak table"],'

interface Passage {
  readonly decision: Decision
  readonly exchange: Exchange
  /** Whether the rest may go on; undefined when nothing watches it. */
  readonly pass: (rest: string) => ReturnType<BodyGate> | undefined
}

interface Sent {
  readonly type?: string
  readonly start?: string
  readonly unread?: 'stream' | 'refuse' | 'pass'
  readonly encoding?: string
  readonly mode?: Mode
}

function exchangeOf(
  request: Pick<RequestSource, 'method' | 'target' | 'headers' | 'body'>,
  { unread, mode }: Sent = {},
): Exchange {
  return new Exchange(
    { peer: '203.0.113.9', secure: true, httpVersion: '1.1', native: undefined, ...request },
    {
      trustedProxies: CidrSet.parse([], 'test'),
      routes: new RouteTable(unread === undefined ? {} : { '/orders': { inspect: { unread } } }),
      nextId: () => {
        throw new Error('no id is needed')
      },
      bodyLimit: 1_048_576,
      ...(mode !== undefined && { mode }),
    },
    0,
  )
}

async function begin(sent: Sent, guard: Guard = inspectionGuard()): Promise<Passage> {
  const { type = JSON_TYPE, start = START, encoding } = sent
  let gate: BodyGate | undefined
  const exchange = exchangeOf(
    {
      method: 'POST',
      target: '/orders',
      headers: ['content-type', type, ...(encoding === undefined ? [] : ['content-encoding', encoding])],
      body: {
        read: () => Promise.resolve({ bytes: Buffer.from(start), complete: false }),
        watch: asked => {
          gate = asked
          return true
        },
      },
    },
    sent,
  )
  const decision = await guard.decide(exchange)
  return { decision, exchange, pass: rest => gate?.(Buffer.from(rest)) }
}

const ATTACK = '"note":"<script>alert(1)</script>"}'

describe('a body that is longer than guards may read ahead', () => {
  test('passes, and is cut off where an attack comes', async () => {
    const { decision, exchange, pass } = await begin({})
    assert.equal(decision.effect, 'allow')
    assert.equal(await pass('"a":"Ann & Bob",'), true)
    assert.equal(await pass(ATTACK), false)
    assert.ok(exchange.decision.effect === 'deny')
    assert.equal(exchange.decision.reasons[0].rule, 'inspect/xss/element')
    assert.equal(exchange.decision.reasons[0].evidence?.location, 'body.note')
  })

  test('is only noted in observe mode, of the engine or of the guard', async () => {
    for (const [sent, options] of [
      [{ mode: 'observe' }, {}],
      [{}, { mode: 'observe' }],
    ] as const) {
      const { exchange, pass } = await begin(sent, inspectionGuard(options))
      assert.equal(await pass(ATTACK), true)
      assert.equal(exchange.decision.effect, 'allow')
      assert.equal(exchange.observed?.status, 403)
    }
  })

  test('is refused at once with `unread: refuse`, and passes unread with `pass`', async () => {
    const refused = (await begin({ unread: 'refuse' })).decision
    assert.equal(refused.effect === 'deny' && refused.status, 413)
    const { decision, pass } = await begin({ unread: 'pass' })
    assert.equal(decision.effect, 'allow')
    assert.equal(await pass(ATTACK), undefined)
  })

  test('is refused when it is compressed: its rest cannot be read by itself', async () => {
    const { gzipSync } = await import('node:zlib')
    const start = gzipSync(START).toString('latin1')
    const { decision } = await begin({ start, encoding: 'identity, gzip' })
    assert.equal(decision.effect, 'deny')
  })

  test('a field behind a file is read, whatever the setting but `pass`', async () => {
    const type = 'multipart/form-data; boundary=b'
    const start = '--b\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\n\r\nxxxx'
    const field = '\r\n--b\r\nContent-Disposition: form-data; name="q"\r\n\r\n$(cat /etc/passwd)\r\n--b--\r\n'
    for (const unread of ['stream', 'refuse'] as const) {
      const { decision, pass } = await begin({ type, start, unread })
      assert.equal(decision.effect, 'allow')
      assert.equal(await pass('xxxx'.repeat(1_000)), true)
      assert.equal(await pass(field), false)
    }
  })

  test('a picture is not watched', async () => {
    const { decision, pass } = await begin({ type: 'image/png', start: '\u0089PNG\u0000\u0001' })
    assert.equal(decision.effect, 'allow')
    assert.equal(await pass(ATTACK), undefined)
  })

  test('many at once take one slice in a turn, and a small request is answered between any two', async () => {
    let inTurn = 0
    let turns = 0
    let good = 0
    const guard: Guard = inspectionGuard({
      // Every slice is the shortest that gets on.
      now: () => (time += 5),
      cpu: () => 0,
      pause: async () => {
        assert.equal(++inTurn, 1)
        await new Promise(resolve => setImmediate(resolve))
        inTurn--
        turns++
        if ((await guard.decide(small)).effect === 'allow') good++
      },
    })
    let time = 0
    const small = exchangeOf({ method: 'GET', target: '/items?q=oak%20chair', headers: [], body: undefined })
    const uploads = await Promise.all(Array.from({ length: 6 }, () => begin({}, guard)))
    const piece = `"note":${JSON.stringify("it's O'Brien & Sons; 5 < 6 (or more)\n".repeat(1_500))},`
    const answers = await Promise.all(uploads.map(({ pass }) => pass(piece)))
    assert.deepEqual(answers, [true, true, true, true, true, true])
    assert.ok(turns >= 12, `${turns} turns`)
    assert.equal(good, turns)
  })
})
