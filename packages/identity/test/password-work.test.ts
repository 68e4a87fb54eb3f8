import assert from 'node:assert/strict'
import { syncBuiltinESMExports } from 'node:module'
import { test } from 'node:test'

test('attack: a password in another Unicode form tells by its work whether there is an account', async t => {
  let hashed = 0
  const crypto = process.getBuiltinModule('node:crypto')
  const { argon2 } = crypto
  t.mock.method(crypto, 'argon2', (...parameters: Parameters<typeof argon2>) => {
    hashed++
    argon2(...parameters)
  })
  syncBuiltinESMExports()
  // Loaded now, so that it takes the function that counts.
  const { Passwords } = await import('../src/password/passwords.ts')
  const passwords = new Passwords({ cost: { memory: 64, passes: 1, parallelism: 1 } })
  const stored = await passwords.hash('a quiet river')
  await passwords.verify('warm up', undefined)
  const workOf = async (password: string, hash: string | undefined): Promise<number> => {
    hashed = 0
    await passwords.verify(password, hash)
    return hashed
  }
  for (const password of ['wrong', 'ﬁne wine', 'é'.normalize('NFD'), 'ﬁ'.repeat(300), 'x'.repeat(3_000)])
    assert.equal(
      await workOf(password, undefined),
      await workOf(password, stored),
      JSON.stringify(password.slice(0, 9)),
    )
})
