import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decompress } from '../../src/body/decompress.ts'
import { snappyDecompress } from '../../src/body/snappy.ts'

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

describe('Snappy blocks', () => {
  for (const [name, block, expected] of [
    ['a literal', [5, 16, ...Buffer.from('abcde')], 'abcde'],
    [
      'a literal whose length has a byte of its own',
      [70, 60 << 2, 69, ...Buffer.alloc(70, 'x')],
      'x'.repeat(70),
    ],
    ['a copy of one byte offset', [7, 8, ...Buffer.from('abc'), 1, 3], 'abcabca'],
    ['a copy that reaches into itself', [9, 0, 97, (7 << 2) | 2, 1, 0], 'a'.repeat(9)],
    ['a copy of four bytes offset', [4, 4, ...Buffer.from('ab'), (1 << 2) | 3, 2, 0, 0, 0], 'abab'],
    ['nothing', [0], ''],
    ['a block that was cut inside a literal', [5, 16, 97, 98], 'ab'],
  ] as const)
    test(`read: ${name}`, () => assert.equal(text(snappyDecompress(new Uint8Array(block), 1_000)), expected))

  for (const [name, block] of [
    ['a copy from before the block', [4, 0, 97, 1, 9]],
    ['a copy past the end', [2, 0, 97, 1, 1]],
    ['a copy of nothing', [5, 0, 97, 1, 0]],
    ['a literal longer than the block says', [1, 16, ...Buffer.from('abcde')]],
    ['a length without an end', [255, 255, 255, 255, 255, 255]],
    ['an element without its offset', [5, 0, 97, 1]],
  ] as const)
    test(`refused: ${name}`, () =>
      assert.throws(() => snappyDecompress(new Uint8Array(block), 1_000), RangeError))

  test('never gives more than was asked for, whatever the block says', () => {
    assert.deepEqual(decompress(new Uint8Array([0xff, 0xff, 0xff, 0x7f, 0, 97]), 'snappy', 1_000), {
      problem: 'too-big',
    })
    assert.deepEqual(decompress(new Uint8Array([9, 9]), 'snappy', 1_000), { problem: 'unreadable' })
  })
})

describe('what stands in Content-Encoding and compresses nothing', () => {
  for (const coding of ['identity', 'aws-chunked', 'amz-1.0', 'UTF-8', 'none', 'aws-chunked, identity', ''])
    test(`"${coding}" leaves the bytes as they are`, () =>
      assert.deepEqual(decompress(new Uint8Array([97]), coding, 10), { bytes: new Uint8Array([97]) }))

  for (const coding of ['compress', 'lz4', 'made-up', 'gzip, gzip, gzip'])
    test(`"${coding}" cannot be read`, () =>
      assert.deepEqual(decompress(new Uint8Array([97]), coding, 10), { problem: 'unreadable' }))
})
