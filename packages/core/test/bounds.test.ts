import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { clientAddress } from '../src/address/client-address.ts'
import {
  type Address,
  CidrSet,
  canonicalJson,
  Engine,
  type Guard,
  type Json,
  networkOf,
  parseAddress,
  queryValues,
  type Refusal,
  refusalText,
} from '../src/index.ts'
import { ErrorLines } from '../src/system/error-lines.ts'
import { exchangeOf, source } from './exchanges.ts'

const address = (text: string): Address => {
  const parsed = parseAddress(text)
  assert.ok(parsed !== undefined, text)
  return parsed
}

describe('canonical JSON', () => {
  test('is nested at most 64 deep', () => {
    const nested = (depth: number): Json => (depth === 0 ? 1 : [nested(depth - 1)])
    assert.equal(canonicalJson(nested(64)).length, 64 * 2 + 1)
    assert.throws(() => canonicalJson(nested(65)), RangeError)
  })
})

describe('networks', () => {
  test('end in the middle of a byte as well', () => {
    assert.equal(networkOf(address('10.255.255.255'), { v4: 13 }), '10.248.0.0/13')
    assert.equal(networkOf(address('192.0.2.255'), { v4: 25 }), '192.0.2.128/25')
    assert.equal(networkOf(address('2001:db8:ffff::1'), { v6: 37 }), '2001:db8:f800::/37')
    const set = CidrSet.parse(['10.248.0.0/13'])
    assert.deepEqual(
      ['10.247.255.255', '10.248.0.0', '10.255.255.255', '11.0.0.0'].map(text => set.has(address(text))),
      [false, true, true, false],
    )
  })
})

describe('a list of forwarded addresses', () => {
  const trusted = CidrSet.parse(['10.0.0.0/8'])
  const clientOf = (list: string): string =>
    clientAddress(address('10.0.0.1'), ['X-Forwarded-For', list], trusted)

  test('is read from its end where it is too long to be read', () => {
    const end = ', 203.0.113.7, 10.0.0.2'
    assert.equal(clientOf(`${'x'.repeat(4_096 - end.length)}${end}`), '203.0.113.7')
    assert.equal(clientOf(`${'x'.repeat(40_000)}${end}`), '203.0.113.7')
    // Of a header that was cut its first part may be half an address: it is not a hop.
    const [whole, cut] = [4_096, 4_097].map(length => `${'9'.repeat(length - 13)}.1.1, 10.0.0.2`)
    assert.deepEqual([clientOf(whole ?? ''), clientOf(cut ?? '')], ['10.0.0.2', '10.0.0.2'])
    const hops = (length: number): string => `198.51.100.9,${' '.repeat(length - 23)}10.0.0.2  `
    assert.deepEqual([hops(4_096).length, clientOf(hops(4_096))], [4_096, '198.51.100.9'])
    assert.deepEqual([hops(4_097).length, clientOf(hops(4_097))], [4_097, '10.0.0.2'])
  })
})

describe('fields of a query', () => {
  test('may have no name, no value, and neither', () => {
    const { fields } = queryValues('=x&y=&z&&=w&y=later')
    assert.deepEqual(
      [...fields],
      [
        ['', ['x', 'w']],
        ['y', ['', 'later']],
        ['z', ['']],
      ],
    )
    assert.deepEqual([queryValues('').fields.size, queryValues('').complete], [0, true])
  })

  test('are read up to 1,000', () => {
    const query = (count: number): string => Array.from({ length: count }, (_, i) => `f${i}=1`).join('&')
    assert.deepEqual(
      [queryValues(query(1_000)).fields.size, queryValues(query(1_000)).complete],
      [1_000, true],
    )
    assert.deepEqual(
      [queryValues(query(1_001)).fields.size, queryValues(query(1_001)).complete],
      [1_000, false],
    )
  })
})

describe('the text of a refusal', () => {
  test('names the wait in seconds, minutes, hours or days, rounded up', () => {
    const refusal = (retryAfter: number): Refusal => ({
      effect: 'throttle',
      guard: 'throttle',
      status: 429,
      retryAfter,
      reasons: [{ rule: 'limit/address', message: 'Too many.' }],
    })
    const waits: readonly (readonly [number, string])[] = [
      [1, 'in 1 second'],
      [119, 'in 119 seconds'],
      [120, 'in 2 minutes'],
      [121, 'in 3 minutes'],
      [7_199, 'in 120 minutes'],
      [7_200, 'in 2 hours'],
      [7_201, 'in 3 hours'],
      [172_799, 'in 48 hours'],
      [172_800, 'in 2 days'],
      [172_801, 'in 3 days'],
    ]
    for (const [seconds, wait] of waits) {
      const { until } = refusalText(refusal(seconds), exchangeOf({}))
      assert.ok(until.includes(wait), `${seconds}: ${until}`)
    }
    assert.match(refusalText(refusal(43_200), exchangeOf({})).until, /January|[A-Z][a-z]+ \d/)
    assert.doesNotMatch(refusalText(refusal(43_199), exchangeOf({})).until, /January/)
  })
})

describe('lines about failing parts', () => {
  test('are remembered for a bounded number of parts', () => {
    const lines: string[] = []
    let now = 0
    const errors = new ErrorLines(line => lines.push(line), { monotonic: () => now })
    for (let i = 0; i < 3_000; i++) errors.report(`part ${i}`, new Error('full'))
    assert.equal(lines.length, 3_000)
    errors.report('part 2999', new Error('full'))
    assert.equal(lines.length, 3_000, 'the newest is remembered')
    errors.report('part 0', new Error('full'))
    assert.equal(lines.length, 3_001, 'the oldest was forgotten')
    now = 10_000
    errors.report('part 2999', new Error('full'))
    assert.match(lines.at(-1) ?? '', /\(and 1 times before\)/)
  })
})

describe('an answer that a guard serves', () => {
  test('is malformed when it is not an object, and never lets the request pass', async () => {
    for (const answer of [null, 7, 'text', true]) {
      const guard: Guard = {
        name: 'own',
        failure: 'closed',
        // As a guard written in JavaScript may answer.
        decide: () => JSON.parse(JSON.stringify({ effect: 'allow', answer })),
      }
      const engine = new Engine({ guards: [guard] })
      const exchange = engine.open(source())
      assert.equal((await engine.decide(exchange)).effect, 'deny', String(answer))
    }
  })
})

describe('watching a body', () => {
  test('that the carrier cannot show leaves it to the next guard that asks', () => {
    let asked = 0
    const exchange = exchangeOf({
      body: {
        read: async () => ({ bytes: new Uint8Array(), complete: true }),
        watch: () => {
          asked++
          return false
        },
      },
    })
    const watch = { take: () => undefined }
    assert.equal(exchange.watchBody(watch), false)
    assert.equal(exchange.watchBody(watch), false)
    assert.equal(asked, 2)
  })
})
