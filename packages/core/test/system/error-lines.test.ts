import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorLines } from '../../src/system/error-lines.ts'

test('an error that every request meets is one line in ten seconds, with a count of the others', () => {
  let now = 0
  const lines: string[] = []
  const errors = new ErrorLines(line => lines.push(line), { monotonic: () => now })
  const full = new Error('ENOSPC: no space left on device')
  for (let i = 0; i < 1_000; i++) errors.report('recorder', full)
  assert.deepEqual(lines, ['postern: recorder failed: Error: ENOSPC: no space left on device'])
  errors.report('guard a', full)
  errors.report('recorder', new Error('another'))
  assert.deepEqual(lines.slice(1), [
    'postern: guard a failed: Error: ENOSPC: no space left on device',
    'postern: recorder failed: Error: another (and 999 times before)',
  ])
  now = 10_000
  errors.report('recorder', new Error('another'))
  assert.equal(lines.length, 4)
  errors.report('hook', 7)
  assert.equal(lines[4], 'postern: hook failed: threw a value that is not an error')
})

test('attack: what a client sent, quoted in an error, forges no line and moves no cursor', () => {
  const lines: string[] = []
  const errors = new ErrorLines(line => lines.push(line), { monotonic: () => 0 })
  errors.report('identify', new Error('no user "x\r\npostern: stopped\u001b[2J\u2028\u202e"'))
  errors.report('guard a', new Error('y'.repeat(100_000)))
  assert.equal(lines[0], 'postern: identify failed: Error: no user "x postern: stopped [2J "')
  assert.ok((lines[1]?.length ?? 0) < 2_100)
})
