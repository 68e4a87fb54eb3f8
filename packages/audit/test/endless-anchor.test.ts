import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoreError } from '@postern/core'
import { endlessAnswer } from '../../../test/endless-answer.ts'
import { httpAnchor } from '../src/index.ts'

test('attack: an anchor answers with a checkpoint that does not end', async () => {
  const { fetch, taken } = endlessAnswer()
  await assert.rejects(httpAnchor({ url: 'https://anchor.example/a', fetch }).latest(), StoreError)
  assert.ok(taken() <= 1 << 20, `${taken()} bytes were taken`)
})
