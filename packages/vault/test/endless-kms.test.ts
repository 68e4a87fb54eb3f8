import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CredentialError, StoreError } from '@postern/core'
import { endlessAnswer } from '../../../test/endless-answer.ts'
import { postJson } from '../src/kms/post-json.ts'

for (const [status, refusal] of [
  [200, StoreError],
  [403, CredentialError],
  [500, StoreError],
] as const)
  test(`attack: a key service answers ${status} with a body that does not end`, async () => {
    const { fetch, taken } = endlessAnswer(status)
    await assert.rejects(
      postJson(fetch, { name: 'kms', url: 'https://kms.example/', headers: {}, body: '{}' }),
      refusal,
    )
    assert.ok(taken() <= 1 << 20, `${taken()} bytes were taken`)
  })
