import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError } from '@postern/core'
import fc from 'fast-check'
import { address, concurrency, gcra, memoryStore, network, sharedTable, window } from '../src/index.ts'
import { scaleRule } from '../src/rule/rule.ts'
import { decodeStep, encodeStep, SHORTEST_STEP } from '../src/rule/step-code.ts'

describe('the length of a sub-window in 16 bits', () => {
  test('is exact for lengths that people write, or longer by at most 0.05 %', () => {
    for (const exact of [12.5, 125, 500, 1_000, 7_500]) assert.equal(encodeStep(exact).length, exact)
    assert.deepEqual(encodeStep(450_000), { code: (15 << 11) | (3_516 - 2_048), length: 450_048 })
    const lengths = fc.double({ min: SHORTEST_STEP, max: 46 * 86_400_000, noNaN: true })
    fc.assert(
      fc.property(lengths, ms => {
        const { code, length } = encodeStep(ms)
        assert.ok(Number.isInteger(code) && code >= 0 && code <= 0xffff)
        assert.equal(decodeStep(code), length)
        assert.ok(length >= ms && length <= ms * 1.0005, `${length} for ${ms}`)
      }),
    )
  })

  test('goes up to the next exponent where the rounded number needs a bit more', () => {
    const justBelow = (4_096 * 2 ** 3 - 1) / 256
    assert.equal(encodeStep(justBelow).length, (4_096 * 2 ** 3) / 256)
  })
})

describe('a rule for a part of its callers', () => {
  test('admits that part, rounded down, and at least one unit', () => {
    const wide = scaleRule(window(100, '1m'), 0.25)
    assert.deepEqual([wide.kind, wide.limit, wide.window, wide.lease], ['window', 25, 60_000, 0])
    assert.equal(scaleRule(window(10, '1m'), 0.39).limit, 3)
    assert.equal(scaleRule(window(10, '1m'), 0.001).limit, 1)
    assert.equal(scaleRule(concurrency(8), 0.5).kind, 'concurrency')
    assert.equal(
      scaleRule(window(200_000, '1m'), 0.1).parts,
      8,
      'counters are as wide as the new limit needs',
    )
  })

  test('earns as much slower, so that all parts together earn what one did', () => {
    const rule = gcra({ rate: 10, burst: 20 })
    const half = scaleRule(rule, 0.5)
    assert.deepEqual([half.limit, half.interval, half.window], [10, 200, 2_000])
    assert.equal(half.weight, 25.4)
    const tiny = scaleRule(rule, 0.01)
    assert.deepEqual([tiny.limit, tiny.interval, tiny.window], [1, 10_000, 10_000])
  })
})

describe('rules', () => {
  test('say their numbers as stores need them', () => {
    const plain = window(100, '8s')
    assert.deepEqual(
      [plain.limit, plain.window, plain.parts, plain.step, plain.lease],
      [100, 8_000, 8, 1_000, 0],
    )
    const wide = window(65_536, '8s')
    assert.deepEqual([wide.parts, wide.step], [4, 2_000])
    assert.equal(window(65_535, '8s').parts, 8)
    assert.equal(window(1_000, '8s', { lease: 500 }).lease, 500)
    assert.equal(concurrency(1).window, 60_000)
    const rate = gcra({ limit: 60, window: '1m', burst: 10 })
    assert.deepEqual([rate.limit, rate.interval, rate.window], [10, 1_200, 12_000])
    assert.equal(gcra({ rate: 1, per: '1m', burst: 2 }).interval, 60_000)
  })

  test('are refused where a number is out of its range, by name', () => {
    for (const [make, place] of [
      [() => window(10, '1m', { lease: 6 }), 'limit().lease'],
      [() => window(10, '1m', { lease: 1.5 }), 'limit().lease'],
      [() => window(10, '1m', { lease: -1 }), 'limit().lease'],
      [() => window(10, '99ms'), 'limit()'],
      [() => window(10, '367d'), 'limit()'],
      [() => concurrency(10, { lease: '99ms' }), 'concurrency()'],
      [() => gcra({ rate: -1, burst: 1 }), 'gcra'],
      [() => gcra({ rate: 1, burst: 0 }), 'gcra.burst'],
      [() => gcra({ limit: 0, window: '1m', burst: 1 }), 'gcra.limit'],
      [() => window(2 ** 31, '1m'), 'limit()'],
      [() => memoryStore({ slots: 63 }), 'slots'],
      [() => memoryStore({ slots: 64.5 }), 'slots'],
      [() => sharedTable({ slots: 2 ** 26 + 1 }), 'slots'],
    ] as const)
      assert.throws(make, (error: unknown) => {
        assert.ok(error instanceof ConfigError)
        assert.deepEqual(
          error.issues.map(issue => issue.place),
          [place],
        )
        return true
      })
    assert.equal(window(10, '1m', { lease: 5 }).lease, 5)
    assert.equal(window(2 ** 31 - 1, '100ms').limit, 2 ** 31 - 1)
    const wrong: ReadonlyArray<readonly [unknown, unknown, RegExp]> = [
      ['1m', 100, /the number comes first/],
      [0.5, '1s', /limit\(1, "1m"\)/],
      [0, '1s', /leave the limit out/],
      [() => 5, '1m', /a function is not a whole number.*plan: async key/],
      [5, '1 month', /limit\(\): "1 month" is not a duration/],
    ]
    for (const [limit, span, message] of wrong)
      assert.throws(() => window(limit as number, span as string), message)
    assert.throws(() => window(10, '99ms'), /99 ms is too short/)
    assert.throws(() => window(10, '367d'), /is too long/)
  })
})

describe('a table of limits', () => {
  test('has as many slots as were asked for, in whole buckets of four, 32 bytes each', () => {
    assert.deepEqual(memoryStore({ slots: 65 }).figures(), { bytes: 68 * 32, slots: 68, liveEvictions: 0 })
    const shared = sharedTable({ slots: 64 })
    // A header, a lock for each of 16 buckets, and the slots.
    assert.equal(shared.byteLength, 64 + 64 + 64 * 32)
    assert.equal(sharedTable({ slots: 68 }).byteLength, 64 + 128 + 68 * 32)
    assert.equal(memoryStore({ table: shared }).figures().slots, 64)
    assert.match(memoryStore({ slots: 64 }).health().detail ?? '', /^memory, 2048 bytes, 0 live evictions$/)
  })

  test('is refused when it is something else, or was cut off', () => {
    for (const wrong of [new SharedArrayBuffer(1_024), sharedTable({ slots: 64 }).slice(0, 1_024)])
      assert.throws(() => memoryStore({ table: wrong as SharedArrayBuffer }), /is not a table of limits/)
  })
})

describe('options that would have no effect', () => {
  // As JavaScript passes them, which no type holds back.
  const loose = (value: object): never => value as never
  const wrong: readonly (readonly [string, () => unknown, RegExp])[] = [
    [
      'a key among those of limit()',
      () => window(5, '1m', loose({ key: 'principal' })),
      /limit: has no option "key" \(it stands beside the rule: \{ limit: limit\(100, "1m"\), key: \.\.\. \}\)/,
    ],
    ['exempt ranges', () => window(5, '1m', loose({ exempt: ['10.0.0.0/8'] })), /has no option "exempt"/],
    [
      'a misspelt lease',
      () => window(500, '1m', loose({ leese: 5 })),
      /no option "leese" \(its options are lease\)/,
    ],
    ['a text', () => window(5, '1m', loose(Object('burst'))), /has no option "0"/],
    ['nothing', () => window(5, '1m', null as never), /its options are not an object/],
    [
      'a key of concurrency()',
      () => concurrency(5, loose({ key: 'tenant' })),
      /concurrency: has no option "key"/,
    ],
    [
      'a limit beside a rate',
      () => gcra(loose({ rate: 1, burst: 2, limit: 5 })),
      /gcra: has no option "limit"/,
    ],
    ['a prefix of another name', () => network(loose({ ipv6: 64 })), /network: has no option "ipv6"/],
    ['a prefix of another name', () => address(loose({ prefix: 64 })), /address: has no option "prefix"/],
  ]
  for (const [what, make, message] of wrong)
    test(`${what} are refused, and say where they belong`, () => {
      assert.throws(make, error => error instanceof ConfigError && message.test(error.message))
    })
})
