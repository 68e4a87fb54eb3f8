import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { isCommonPassword } from '../src/index.ts'

test('the most common passwords are known, in any case and width', () => {
  for (const password of [
    '123456',
    'password',
    'Password',
    'QWERTY',
    'letmein',
    'iloveyou',
    'ｐａｓｓｗｏｒｄ',
    'trustno1',
    'monkey',
  ])
    assert.equal(isCommonPassword(password), true, password)
})

test('good passwords are not, but for one in 25,000', () => {
  let wrong = 0
  for (let i = 0; i < 20_000; i++)
    if (isCommonPassword(createHash('sha256').update(`p${i}`).digest('base64url'))) wrong++
  assert.ok(wrong <= 5, String(wrong))
  for (const password of ['correct horse battery staple', 'Tr0ub4dor&3x!', ''])
    assert.equal(isCommonPassword(password), false)
})
