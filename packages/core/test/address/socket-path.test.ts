import assert from 'node:assert/strict'
import { test } from 'node:test'
import { socketPath } from '../../src/index.ts'

test('the path of a Unix socket is read as it stands', () => {
  assert.equal(socketPath('unix:/run/app.sock'), '/run/app.sock')
  assert.equal(socketPath('unix:/srv/my app/ä%2f.sock'), '/srv/my app/ä%2f.sock')
  assert.equal(socketPath(`unix:/${'a'.repeat(102)}`), `/${'a'.repeat(102)}`)
})

test('what no system could connect to, or would read as another path, is refused', () => {
  for (const address of [
    'http://127.0.0.1:3000',
    'unix:',
    'unix:/',
    'unix:run/app.sock',
    'unix:/run/',
    'unix:/run/a\0.sock',
    'unix:/run/a\n.sock',
    'UNIX:/run/app.sock',
    ' unix:/run/app.sock',
    `unix:/${'a'.repeat(103)}`,
    `unix:/${'ä'.repeat(52)}`,
  ])
    assert.equal(socketPath(address), undefined, JSON.stringify(address))
})
