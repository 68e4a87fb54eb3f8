import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { closeAll } from '../src/lifetime/close-all.ts'

describe('closing', () => {
  test('goes on behind what fails, in the reverse order of opening, and says what failed first', async () => {
    const closed: string[] = []
    const closers = [
      () => void closed.push('log'),
      async () => {
        closed.push('store')
        throw new Error('the store')
      },
      () => {
        closed.push('listener')
        throw new Error('the listener')
      },
    ]
    await assert.rejects(closeAll(closers), /the listener/)
    assert.deepEqual(closed, ['listener', 'store', 'log'])
    await closeAll(closers)
    assert.equal(closed.length, 3)
  })
})
