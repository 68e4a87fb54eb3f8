import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as zlib from 'node:zlib'
import { decompress } from '../../src/index.ts'

const TEXT = 'one body, '.repeat(50)
/** The empty block that ends a stream of stored blocks. */
const LAST = [1, 0, 0, 0xff, 0xff]
const PLAIN = new TextEncoder().encode(TEXT)

function undone(body: Uint8Array, encoding: string, limit = 10_000): string {
  const found = decompress(body, encoding, limit)
  return 'bytes' in found ? new TextDecoder().decode(found.bytes) : found.problem
}

describe('a compressed body', () => {
  const codings: readonly (readonly [encoding: string, body: Uint8Array])[] = [
    ['gzip', zlib.gzipSync(PLAIN)],
    ['x-gzip', zlib.gzipSync(PLAIN)],
    ['deflate', zlib.deflateSync(PLAIN)],
    ['br', zlib.brotliCompressSync(PLAIN)],
    ['zstd', zlib.zstdCompressSync(PLAIN)],
    ['identity', PLAIN],
    ['', PLAIN],
    [' GZip ,', zlib.gzipSync(PLAIN)],
    ['identity, gzip', zlib.gzipSync(PLAIN)],
  ]
  for (const [encoding, body] of codings)
    test(`is decoded from "${encoding}"`, () => assert.equal(undone(body, encoding), TEXT))

  test('is not read where something stands behind its end: backends differ in what they make of it', () => {
    for (const [encoding, body] of codings.slice(0, 5))
      for (const rest of ['&id=7', '\0\0&id=7']) {
        const longer = Buffer.concat([body, Buffer.from(rest)])
        assert.equal(undone(longer, encoding), 'unreadable', `${encoding} ${JSON.stringify(rest)}`)
      }
    // Text that a bare stream of deflate begins with by chance.
    assert.equal(undone(Buffer.from('{"a":1}& id=7&q=it is'), 'deflate'), 'unreadable')
  })

  test('may be several members of gzip, or frames of Zstandard, some of which are skipped', () => {
    assert.equal(undone(Buffer.concat([zlib.gzipSync(PLAIN), zlib.gzipSync('b')]), 'gzip'), `${TEXT}b`)
    const skipped = Buffer.concat([Buffer.from('502a4d1801000000', 'hex'), Buffer.from('x')])
    const frames = [skipped, zlib.zstdCompressSync(PLAIN), skipped, zlib.zstdCompressSync('b')]
    assert.equal(undone(Buffer.concat(frames), 'zstd'), `${TEXT}b`)
    assert.equal(undone(Buffer.concat(frames), 'zstd', TEXT.length - 1), 'too-big')
    assert.equal(undone(Buffer.concat(Array.from({ length: 100 }, () => skipped)), 'zstd'), 'unreadable')
    for (let cut = 1; cut < 12; cut++)
      assert.ok(undone(Buffer.concat(frames).subarray(0, -cut), 'zstd').startsWith(TEXT), `cut by ${cut}`)
  })

  test('is decoded from deflate without the wrapper of zlib, whatever its first byte', () => {
    // A stored block begins with 0, one of fixed codes and one of a table with other bits: none is a header.
    for (const level of [0, 1, 9])
      assert.equal(undone(zlib.deflateRawSync(PLAIN, { level }), 'deflate'), TEXT, `level ${level}`)
    for (const level of [0, 1, 6, 9])
      assert.equal(undone(zlib.deflateSync(PLAIN, { level }), 'deflate'), TEXT, `level ${level}`)
    // Stored blocks for which one half of the check of a header (RFC 1950) holds: method 8, a multiple of 31.
    assert.equal(
      undone(Uint8Array.of(0x08, 3, 0, 0xfc, 0xff, ...PLAIN.subarray(0, 3), ...LAST), 'deflate'),
      'one',
    )
    const long = Uint8Array.of(0x00, 31, 0, 0xe0, 0xff, ...PLAIN.subarray(0, 31), ...LAST)
    assert.equal(undone(long, 'deflate'), TEXT.slice(0, 31))
  })

  test('is decoded from the last coding to the first, and from two at most', () => {
    const twice = zlib.brotliCompressSync(zlib.gzipSync(PLAIN))
    assert.equal(undone(twice, 'gzip, br'), TEXT)
    assert.equal(undone(twice, 'br, gzip'), 'unreadable')
    assert.equal(undone(zlib.gzipSync(twice), 'gzip, br, gzip'), 'unreadable')
  })

  test('is unreadable in a coding that nobody knows, and where it is something else', () => {
    assert.equal(undone(PLAIN, 'compress'), 'unreadable')
    for (const encoding of ['gzip', 'deflate', 'br', 'zstd'])
      assert.equal(undone(PLAIN, encoding), 'unreadable', encoding)
  })

  test('is too big one byte over the limit, and is not decoded further', () => {
    for (const [encoding, body] of codings.slice(0, 5)) {
      assert.equal(undone(body, encoding, PLAIN.length), TEXT, encoding)
      assert.equal(undone(body, encoding, PLAIN.length - 1), 'too-big', encoding)
    }
  })

  test('that was cut is decoded as far as it goes', () => {
    const random = Uint8Array.from({ length: 4_000 }, (_, i) => (i * i * 31 + i) % 251)
    for (const [encoding, body] of [
      ['gzip', zlib.gzipSync(random)],
      ['deflate', zlib.deflateSync(random)],
      ['br', zlib.brotliCompressSync(random, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } })],
    ] as const) {
      const found = decompress(body.subarray(0, body.length - 20), encoding, 10_000)
      assert.ok('bytes' in found, encoding)
      assert.ok(found.bytes.length > 0 && found.bytes.length <= random.length, encoding)
      assert.deepEqual(found.bytes, Buffer.from(random.subarray(0, found.bytes.length)), encoding)
    }
  })
})
