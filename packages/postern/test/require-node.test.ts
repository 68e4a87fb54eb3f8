import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requireNode } from '../src/require-node.ts'

test('an older Node prints one sentence that says which version is needed', () => {
  assert.throws(() => requireNode('22.14.0'), {
    message: 'Postern needs Node 24 or newer; this is Node 22.14.0.',
  })
  assert.doesNotThrow(() => requireNode('24.0.0'))
  assert.doesNotThrow(() => requireNode('26.1.0'))
})
