import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { constants, gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { gunzipShort } from '../src/canonicalise/gunzip-short.ts'
import { Inflater } from '../src/canonicalise/inflate.ts'
import { inspect } from '../src/inspect.ts'

const MOST = 65_536

/** What the library of the platform makes of it. */
function reference(bytes: Uint8Array): string | undefined {
  try {
    const options = { maxOutputLength: MOST, finishFlush: constants.Z_SYNC_FLUSH }
    return gunzipSync(bytes, options).toString('latin1')
  } catch {
    return undefined
  }
}

function ours(bytes: Uint8Array): string | undefined {
  const found = gunzipShort(bytes, MOST)
  return found === undefined ? undefined : Buffer.from(found).toString('latin1')
}

const content = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.tuple(fc.string({ maxLength: 8 }), fc.nat(400)).map(([part, times]) => part.repeat(times)),
  fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes).toString('latin1')),
)
const packed = fc
  .tuple(
    content,
    fc.constantFrom(0, 1, 9),
    fc.constantFrom(
      constants.Z_FIXED,
      constants.Z_DEFAULT_STRATEGY,
      constants.Z_HUFFMAN_ONLY,
      constants.Z_RLE,
    ),
  )
  .map(([text, level, strategy]) => gzipSync(Buffer.from(text, 'latin1'), { level, strategy }))

describe('short texts in gzip', () => {
  test('are what the library of the platform makes of them, several members and cut ones included', () => {
    fc.assert(
      fc.property(fc.array(packed, { minLength: 1, maxLength: 3 }), fc.nat(2_000), (members, cut) => {
        const whole = Buffer.concat(members)
        assert.equal(ours(whole), reference(whole))
        // Behind the header, so that there is a member.
        const part = whole.subarray(0, 10 + (cut % whole.length))
        assert.ok((ours(part) ?? '').startsWith(reference(part) ?? ''))
      }),
      { numRuns: 1_500, seed: 9 },
    )
  })

  test('come to the same whether they are read at once or in steps, also cut and broken ones', () => {
    const steps = fc.array(fc.nat(300), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(packed, steps, fc.nat(2_000), fc.nat(255), (bytes, lengths, at, change) => {
        const raw = Buffer.from(bytes.subarray(10, 10 + (at % bytes.length) + 8))
        if (at % 3 === 0 && raw.length > 0) raw[at % raw.length] = change
        const inflater = new Inflater(raw, 0, 0)
        for (const length of lengths.toSorted((a, b) => a - b)) {
          const once = new Inflater(raw, 0, length)
          assert.equal(inflater.run(length), once.run())
          assert.deepEqual(Buffer.from(inflater.bytes), Buffer.from(once.bytes))
        }
      }),
      { numRuns: 2_000, seed: 11 },
    )
  })

  test('that are broken are read no less than the library reads them', () => {
    fc.assert(
      fc.property(packed, fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, at, change) => {
        const broken = Buffer.from(bytes)
        const place = 3 + (at % Math.max(1, broken.length - 3))
        broken[place] = (broken[place] as number) ^ change
        const expected = reference(broken)
        if (expected !== undefined && expected !== '') assert.equal(ours(broken), expected)
      }),
      { numRuns: 3_000, seed: 10 },
    )
  })

  test('with a name, a comment, more fields and a checksum in their header are read', () => {
    const body = gzipSync('a text').subarray(10)
    for (const [flags, fields] of [
      [0, ''],
      [8, 'name\0'],
      [16, 'comment\0'],
      [4, '\u0003\0abc'],
      [4 | 8 | 16, '\u0002\0abname\0comment\0'],
    ] as const) {
      const header = Buffer.from(
        `\u001f\u008b\b${String.fromCharCode(flags)}\0\0\0\0\0\u0003${fields}`,
        'latin1',
      )
      assert.equal(ours(Buffer.concat([header, body])), 'a text')
    }
  })

  test('that come to more than they may are read as far as that', () => {
    assert.equal(gunzipShort(gzipSync('a'.repeat(1_000)), 999)?.length, 999)
    assert.equal(gunzipShort(gzipSync('a'.repeat(1_000)), 1_000)?.length, 1_000)
  })

  test('are looked into, in the last of many values too', () => {
    const value = (text: string): string => encodeURIComponent(gzipSync(text).toString('base64'))
    const harmless = Array.from({ length: 900 }, (_, i) => `a${i}=${value(`text ${i}`)}&`).join('')
    const body = Buffer.from(`${harmless}q=${value("1' union select 1,2--")}`)
    const headers = ['content-type', 'application/x-www-form-urlencoded']
    const { matches } = inspect({ method: 'POST', target: '/', headers, body })
    assert.equal(matches[0]?.location, 'body.q')
  })
})
