import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { encodeFrame, FrameReader } from '../src/split/frame.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

describe('messages of a byte stream', () => {
  const messages = [{ id: 1 }, { id: 2, text: 'ü'.repeat(3_000) }, [], 'three', { id: 3 }]
  const stream = Buffer.concat(messages.map(message => encodeFrame(message as object)))

  for (const size of [1, 2, 3, 4, 5, 7, 1_000, 5_999, stream.length])
    it(`are the same in pieces of ${size} bytes`, () => {
      const reader = new FrameReader()
      const read: unknown[] = []
      for (let at = 0; at < stream.length; at += size)
        read.push(...reader.push(Buffer.from(stream.subarray(at, at + size))))
      assert.deepEqual(read, messages)
    })

  it('do not change with what the buffer of an earlier piece is used for next', () => {
    const reader = new FrameReader()
    const piece = Buffer.from(stream.subarray(0, 2_000))
    const read = [...reader.push(piece)]
    piece.fill(0x41)
    read.push(...reader.push(Buffer.from(stream.subarray(2_000))))
    assert.deepEqual(read, messages)
  })

  it('that come byte by byte take about as much memory as they are long', () => {
    const bytes = encodeFrame({ text: 'a'.repeat(300_000) })
    const reader = new FrameReader()
    collect()
    const before = process.memoryUsage()
    for (let at = 0; at < bytes.length - 1; at++) reader.push(bytes.subarray(at, at + 1))
    collect()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    const taken = heapUsed + arrayBuffers - before.heapUsed - before.arrayBuffers
    assert.ok(taken < 10 * bytes.length, `${taken} bytes are kept of ${bytes.length}`)
    assert.equal(reader.push(bytes.subarray(-1)).length, 1)
  })
})
