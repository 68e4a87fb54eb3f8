import assert from 'node:assert/strict'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { test } from 'node:test'

test('attack: the time of a wrong password tells which accounts were imported', async t => {
  // Work of each kind takes as long as it is said to here; bcrypt as its work factor says.
  let now = 0
  const crypto = process.getBuiltinModule('node:crypto')
  const { argon2, pbkdf2 } = crypto
  t.mock.method(crypto, 'argon2', (...parameters: Parameters<typeof argon2>) => {
    now += 30
    argon2(...parameters)
  })
  t.mock.method(crypto, 'pbkdf2', (...parameters: Parameters<typeof pbkdf2>) => {
    now += 12
    pbkdf2(...parameters)
  })
  syncBuiltinESMExports()
  const bcrypt = createRequire(import.meta.url)('bcryptjs')
  t.mock.method(bcrypt, 'compare', async (_password: string, hash: string) => {
    now += 2 ** (Number(hash.slice(4, 6)) - 4)
    return false
  })
  const { Passwords } = await import('../src/password/passwords.ts')
  let waited = 0
  const passwords = new Passwords({
    cost: { memory: 64, passes: 1, parallelism: 1 },
    clock: { now: () => now, monotonic: () => now },
    wait: async (milliseconds: number) => {
      waited += milliseconds
    },
  })
  const answerTo = async (hash: string | undefined): Promise<number> => {
    const started = now
    waited = 0
    assert.equal((await passwords.verify('wrong', hash)).matches, false)
    return now - started + waited
  }
  const own = await passwords.hash('a quiet river')
  const tail = 'N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy'
  const hashes = {
    unknown: undefined,
    own,
    'bcrypt 4': `$2b$04$${tail}`,
    'bcrypt 12': `$2b$12$${tail}`,
    Django: `pbkdf2_sha256$1000$saltsaltsalt$${Buffer.alloc(32).toString('base64')}`,
  }
  await answerTo(undefined)
  assert.equal(await answerTo(own), 30, 'with one kind of hash, nothing waits')
  for (const hash of Object.values(hashes)) await answerTo(hash)
  const times: number[] = []
  for (const hash of Object.values(hashes)) times.push(await answerTo(hash))
  assert.deepEqual(new Set(times.map(time => time.toFixed(3))), new Set(['281.600']), times.join())
  assert.equal((await passwords.verify('a quiet river', own)).matches, true)
})
