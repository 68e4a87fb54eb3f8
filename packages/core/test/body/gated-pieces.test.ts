import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type BodyGate, GatedPieces } from '../../src/index.ts'

interface Passage {
  readonly pieces: GatedPieces
  /** What happened, in order. */
  readonly log: string[]
  /** Answers the question that has waited longest. */
  readonly answer: (mayPass: boolean) => Promise<void>
}

function passage(): Passage {
  const log: string[] = []
  const waiting: ((mayPass: boolean) => void)[] = []
  const gate: BodyGate = piece => {
    log.push(`ask ${piece[0]}`)
    if ((piece[0] ?? 0) < 10) return piece[0] !== 9
    return new Promise(resolve => waiting.push(resolve))
  }
  const pieces = new GatedPieces(gate, {
    pass: piece => log.push(`pass ${piece[0]}`),
    refuse: () => log.push('refuse'),
    drained: () => log.push('drained'),
  })
  const answer = async (mayPass: boolean): Promise<void> => {
    waiting.shift()?.(mayPass)
    await new Promise(resolve => setImmediate(resolve))
  }
  return { pieces, log, answer }
}

describe('pieces of a body past a gate', () => {
  test('go on at once where it answers at once', () => {
    const { pieces, log } = passage()
    pieces.offer(Uint8Array.of(1))
    pieces.offer(Uint8Array.of(2))
    assert.deepEqual(log, ['ask 1', 'pass 1', 'ask 2', 'pass 2'])
    assert.equal(pieces.isHolding, false)
  })

  test('wait in order for the answer about the first, and are asked about one at a time', async () => {
    const { pieces, log, answer } = passage()
    for (const first of [10, 1, 11]) pieces.offer(Uint8Array.of(first))
    assert.deepEqual(log, ['ask 10'])
    assert.equal(pieces.isHolding, true)
    await answer(true)
    assert.deepEqual(log, ['ask 10', 'pass 10', 'ask 1', 'pass 1', 'ask 11'])
    await answer(true)
    assert.deepEqual(log.slice(5), ['pass 11', 'drained'])
    assert.equal(pieces.isHolding, false)
  })

  test('end at one that is refused, however many wait behind it', async () => {
    const { pieces, log, answer } = passage()
    for (const first of [10, 1]) pieces.offer(Uint8Array.of(first))
    await answer(false)
    pieces.offer(Uint8Array.of(2))
    assert.deepEqual(log, ['ask 10', 'refuse'])
    const other = passage()
    other.pieces.offer(Uint8Array.of(9))
    other.pieces.offer(Uint8Array.of(1))
    assert.deepEqual(other.log, ['ask 9', 'refuse'])
  })

  test('go nowhere once they are closed', async () => {
    const { pieces, log, answer } = passage()
    for (const first of [10, 1]) pieces.offer(Uint8Array.of(first))
    pieces.close()
    await answer(true)
    assert.deepEqual(log, ['ask 10'])
  })
})
