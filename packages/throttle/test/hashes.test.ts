import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { halfSipHash } from '../src/hash/half-sip-hash.ts'
import { KeyedHash } from '../src/hash/keyed-hash.ts'

/** HalfSipHash-1-3 with 64 bits of output, word by word as its authors' reference describes it. */
function reference(words: readonly number[], last: number, key0: number, key1: number, flip = 0): number[] {
  const rotated = (value: number, by: number): number => ((value << by) | (value >>> (32 - by))) >>> 0
  const v = [key0, key1 ^ 0xee, 0x6c796765 ^ key0, 0x74656462 ^ key1 ^ flip].map(word => word >>> 0)
  const [A, B, C, D] = [0, 1, 2, 3] as const
  const at = (i: 0 | 1 | 2 | 3): number => v[i] as number
  const add = (to: 0 | 1 | 2 | 3, from: 0 | 1 | 2 | 3, by: number): void => {
    v[to] = (at(to) + at(from)) >>> 0
    v[from] = (rotated(at(from), by) ^ at(to)) >>> 0
  }
  const round = (): void => {
    add(A, B, 5)
    v[A] = rotated(at(A), 16)
    add(C, D, 8)
    add(A, D, 7)
    add(C, B, 13)
    v[C] = rotated(at(C), 16)
  }
  for (const word of [...words, last]) {
    v[D] = (at(D) ^ word) >>> 0
    round()
    v[A] = (at(A) ^ word) >>> 0
  }
  v[C] = (at(C) ^ 0xee) >>> 0
  for (let i = 0; i < 3; i++) round()
  const first = at(B) ^ at(D)
  v[B] = (at(B) ^ 0xdd) >>> 0
  for (let i = 0; i < 3; i++) round()
  return [first | 0, (at(B) ^ at(D)) | 0]
}

/** Latin-1 as bytes, four a word; other text as UTF-16 units, two a word, under another key. */
function expected(text: string, key0: number, key1: number): number[] {
  const units = [...Array(text.length).keys()].map(i => text.charCodeAt(i))
  const isNarrow = units.every(unit => unit < 256)
  const perWord = isNarrow ? 4 : 2
  const word = (list: readonly number[]): number =>
    list.reduce((sum, unit, i) => sum | (unit << ((i * 32) / perWord)), 0)
  const words: number[] = []
  const whole = isNarrow ? units.length - (units.length % 4) : units.length
  for (let i = 0; i < whole; i += perWord) words.push(word(units.slice(i, i + perWord)))
  const last = isNarrow ? (text.length << 24) | word(units.slice(whole)) : text.length
  return reference(words, last, key0, key1, isNarrow ? 0 : 0x80)
}

const texts = fc.oneof(
  fc.string({ unit: 'binary-ascii', maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.stringMatching(/^[\u0000-\u00ff]{0,30}$/),
)
const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })

describe('the hash of long keys', () => {
  test('is HalfSipHash-1-3, for Latin-1 over bytes and for other text over UTF-16 units', () => {
    fc.assert(
      fc.property(texts, word, word, fc.nat(3), (text, key0, key1, at) => {
        const out = new Int32Array(6)
        halfSipHash(text, key0, key1, out, at)
        assert.deepEqual([...out.slice(at, at + 2)], expected(text, key0, key1))
      }),
      { numRuns: 300 },
    )
  })
})

describe('the hash of keys', () => {
  const hashOf = (text: string, key0 = 1, key1 = 2, salt0 = 3, salt1 = 4): readonly number[] => {
    const out = new Int32Array(4)
    new KeyedHash(key0, key1).hash(text, salt0, salt1, out, 1)
    assert.deepEqual([out[0], out[3]], [0, 0], 'writes its two words and no other')
    return [...out.slice(1, 3)]
  }

  test('is that of long keys beyond 256 characters, and for other text than Latin-1', () => {
    for (const text of ['x'.repeat(257), 'x'.repeat(300), '\u0100', `${'x'.repeat(255)}\u4e00`])
      assert.deepEqual(hashOf(text), expected(text, 1 ^ 3, 2 ^ 4))
    for (const text of ['', 'x', '\u00ff', 'x'.repeat(256)])
      assert.notDeepEqual(hashOf(text), expected(text, 1 ^ 3, 2 ^ 4))
  })

  test('is the same in every thread that has the key, and another under any other key or limit', () => {
    const text = '192.0.2.1'
    assert.deepEqual(hashOf(text), hashOf(text))
    const others = [hashOf(text, 9), hashOf(text, 1, 9), hashOf(text, 1, 2, 9), hashOf(text, 1, 2, 3, 9)]
    for (const other of others) assert.notDeepEqual(other, hashOf(text))
  })

  test('differs in both halves by each character, its place, and the length', () => {
    const long = Array.from({ length: 256 }, (_, i) => String.fromCharCode(33 + (i % 90))).join('')
    const base = hashOf(long)
    for (let i = 0; i < 256; i++) {
      const other = hashOf(`${long.slice(0, i)}~${long.slice(i + 1)}`)
      assert.ok(other[0] !== base[0] && other[1] !== base[1], `character ${i}`)
    }
    const seen = [new Set<number>(), new Set<number>()]
    // Zeros add nothing to a sum: only the length tells them apart.
    for (let length = 0; length <= 256; length++)
      for (const half of [0, 1] as const) seen[half]?.add(hashOf('\0'.repeat(length))[half] as number)
    assert.deepEqual(
      seen.map(({ size }) => size),
      [257, 257],
    )
  })
})
