import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type Act, actDigest, canonicalJson } from '../../src/step-up/act.ts'
import type { Json } from '../../src/text/json.ts'

const act: Act = {
  actor: 'user:alice',
  action: 'orders.delete',
  resource: 'order/7',
  arguments: { force: true },
}

describe('canonical JSON', () => {
  test('sorts names by UTF-16 code units, as the example of RFC 8785 section 3.2.3 does', () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 }
    assert.equal(
      canonicalJson(value),
      '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}',
    )
  })

  test('writes numbers as RFC 8785 section 3.2.2.3 does', () => {
    assert.equal(
      canonicalJson(JSON.parse('[333333333.33333329, 1e30, 4.50, 2e-3, 1e-27, -0]') as Json),
      '[333333333.3333333,1e+30,4.5,0.002,1e-27,0]',
    )
  })

  test('reads back as the same value, whatever the order of names', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        const text = canonicalJson(value as Json)
        assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)))
        assert.equal(canonicalJson(JSON.parse(text) as Json), text)
      }),
    )
  })

  test('refuses what JSON cannot carry, and nesting that would exhaust the stack', () => {
    let deep: Json = 1
    for (let i = 0; i < 100; i++) deep = [deep]
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, '\ud800', deep])
      assert.throws(() => canonicalJson(value), RangeError)
  })
})

describe('the digest of an act', () => {
  test('changes with every part of the act, with the time and with the nonce', () => {
    const digests = [
      actDigest(act, 1, 'n'),
      actDigest({ ...act, actor: 'user:bob' }, 1, 'n'),
      actDigest({ ...act, action: 'orders.edit' }, 1, 'n'),
      actDigest({ ...act, resource: 'order/8' }, 1, 'n'),
      actDigest({ ...act, arguments: { force: false } }, 1, 'n'),
      actDigest(act, 2, 'n'),
      actDigest(act, 1, 'm'),
    ].map(digest => Buffer.from(digest).toString('hex'))
    assert.equal(new Set(digests).size, digests.length)
  })

  test('is the same for the same act written in another order', () => {
    const one = actDigest({ ...act, arguments: { a: 1, b: 2 } }, 1, 'n')
    const other = actDigest({ ...act, arguments: { b: 2, a: 1 } }, 1, 'n')
    assert.deepEqual(one, other)
  })

  test('does not confuse text that moves from one part to its neighbour', () => {
    const one = actDigest({ ...act, action: 'a', resource: 'bc' }, 1, 'n')
    const other = actDigest({ ...act, action: 'ab', resource: 'c' }, 1, 'n')
    assert.notDeepEqual(one, other)
  })
})
