import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { freshId } from '../src/database/identity-secret.ts'

describe('ids of accounts, organisations and sessions', () => {
  test('never begin with a hyphen, which command lines take for an option', () => {
    for (let first = 0; first < 256; first++) {
      const id = freshId({ bytes: length => new Uint8Array(length).fill(first) })
      assert.match(id, /^[A-Za-z0-9_][A-Za-z0-9_-]{15}$/)
    }
  })

  test('are as random as before, but for one bit of those that would', () => {
    const ids = new Set(
      Array.from({ length: 1_000 }, () => freshId({ bytes: length => randomBytes(length) })),
    )
    assert.equal(ids.size, 1_000)
    assert.equal(freshId({ bytes: length => new Uint8Array(length).fill(0xff) }), '_'.repeat(16))
    assert.equal(
      freshId({ bytes: length => new Uint8Array(length).fill(0xf8) }).slice(1),
      Buffer.alloc(12, 0xf8).toString('base64url').slice(1),
    )
  })
})
