import assert from 'node:assert/strict'
import { test } from 'node:test'
import { requireNode } from '../src/require-node.ts'

test('an older Node prints one sentence that says which version is needed', () => {
  assert.throws(() => requireNode({ node: '22.14.0' }), {
    message: 'Postern needs Node 24 or newer; this is Node 22.14.0.',
  })
  assert.doesNotThrow(() => requireNode({ node: '24.0.0' }))
  assert.doesNotThrow(() => requireNode({ node: '26.1.0' }))
})

test('Bun and Deno, which also state a version of Node, are named and told what runs there', () => {
  for (const [versions, name] of [
    [{ node: '26.3.0', bun: '1.4.5' }, 'Bun 1.4.5'],
    [{ node: '26.3.0', deno: '2.9.6' }, 'Deno 2.9.6'],
  ] as const)
    assert.throws(
      () => requireNode(versions),
      ({ message }: Error) => message.includes(`this is ${name}. Run the gateway with Node`),
    )
})
