import assert from 'node:assert/strict'
import { pbkdf2Sync, scryptSync } from 'node:crypto'
import { describe, test } from 'node:test'
import bcrypt from 'bcryptjs'
import fc from 'fast-check'
import { Passwords } from '../src/password/passwords.ts'
import { formatPhc, parsePhc } from '../src/password/phc.ts'
import { argon2idHash, parseStoredHash, verifyStoredHash } from '../src/password/stored-hash.ts'
import { QueueFull, WorkQueue } from '../src/password/work-queue.ts'

const CHEAP = { memory: 64, passes: 1, parallelism: 1 }
const b64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replace(/=+$/, '')

describe('a stored password hash', () => {
  test('of the default cost is argon2id with 19 MiB, two passes and one lane', async () => {
    const hash = await new Passwords().hash('correct horse')
    assert.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  })

  test('made by the reference implementation is verified', async () => {
    // RFC 9106 names no PHC string; this one is of the argon2 command line: "password",
    // salt "somesalt", -t 2 -k 65536 -p 1 -id.
    const stored = parseStoredHash(
      '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    )
    assert.ok(stored)
    assert.equal(await verifyStoredHash(stored, 'password'), true)
    assert.equal(await verifyStoredHash(stored, 'passwore'), false)
  })

  const salt = Buffer.from('0123456789abcdef')
  const cases: readonly (readonly [string, string])[] = [
    ['bcrypt', bcrypt.hashSync('correct horse', 4)],
    [
      'scrypt',
      `$scrypt$ln=10,r=8,p=1$${b64(salt)}$${b64(scryptSync('correct horse', salt, 32, { N: 1024, r: 8, p: 1 }))}`,
    ],
    [
      'PBKDF2',
      `$pbkdf2-sha256$i=1000$${b64(salt)}$${b64(pbkdf2Sync('correct horse', salt, 1000, 32, 'sha256'))}`,
    ],
    [
      'PBKDF2 as Django writes it',
      `pbkdf2_sha256$1000$${salt.toString()}$${pbkdf2Sync('correct horse', salt, 1000, 32, 'sha256').toString('base64')}`,
    ],
  ]
  for (const [name, stored] of cases) {
    test(`of ${name} is verified and upgraded to argon2id`, async () => {
      const passwords = new Passwords({ cost: CHEAP })
      const check = await passwords.verify('correct horse', stored)
      assert.equal(check.matches, true)
      assert.match(check.upgrade ?? '', /^\$argon2id\$/)
      assert.equal((await passwords.verify('correct horse', check.upgrade)).matches, true)
      assert.equal((await passwords.verify('correct horse', check.upgrade)).upgrade, undefined)
      assert.deepEqual(await passwords.verify('wrong horse', stored), { matches: false })
    })
  }

  test('with weaker work factors than today is upgraded', async () => {
    const old = await argon2idHash('correct horse', CHEAP)
    const check = await new Passwords({ cost: { ...CHEAP, passes: 2 } }).verify('correct horse', old)
    assert.match(check.upgrade ?? '', /m=64,t=2,p=1/)
  })

  const refused: readonly (readonly [string, string])[] = [
    ['an unknown version', '$argon2id$v=16$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZg'],
    [
      'memory beyond all bounds',
      '$argon2id$v=19$m=9999999,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZg',
    ],
    ['a parameter twice', '$argon2id$v=19$m=64,m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZg'],
    ['a leading zero', '$argon2id$v=19$m=064,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZg'],
    [
      'base64 that is not canonical',
      '$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZh$MDEyMzQ1Njc4OWFiY2RlZg',
    ],
    ['padding', '$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg==$MDEyMzQ1Njc4OWFiY2RlZg'],
    ['an empty hash', '$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$'],
    ['something left over', '$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZg$'],
    ['another function', '$argon2i$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZg'],
    ['a bcrypt cost of an hour', bcrypt.hashSync('x', 4).replace('$04$', '$31$')],
    ['plain text', 'correct horse'],
    ['nothing', ''],
  ]
  for (const [name, text] of refused) {
    test(`with ${name} is refused`, () => assert.equal(parseStoredHash(text), undefined))
  }

  test('is written as it is read', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 8, maxLength: 32 }),
        fc.uint8Array({ minLength: 16, maxLength: 64 }),
        (salt, hash) => {
          const phc = { id: 'argon2id', version: 19, parameters: new Map([['m', 64]]), salt, hash }
          const read = parsePhc(formatPhc(phc))
          assert.deepEqual(Buffer.from(read?.salt ?? []), Buffer.from(salt))
          assert.deepEqual(Buffer.from(read?.hash ?? []), Buffer.from(hash))
        },
      ),
    )
  })
})

describe('passwords', () => {
  test('an account without a password never matches, not even an empty one', async () => {
    const passwords = new Passwords({ cost: CHEAP })
    assert.deepEqual(await passwords.verify('', undefined), { matches: false })
    assert.deepEqual(await passwords.verify('', ''), { matches: false })
    assert.deepEqual(await passwords.verify('correct horse', 'not a hash'), { matches: false })
  })

  test('for an unknown account the same work is done: one argon2id of the same cost', async () => {
    const cost = { memory: 8_192, passes: 2, parallelism: 1 }
    const passwords = new Passwords({ cost })
    const stored = await passwords.hash('correct horse')
    await passwords.verify('x', undefined)
    const time = async (hash: string | undefined): Promise<number> => {
      const start = process.cpuUsage()
      for (let i = 0; i < 12; i++) await passwords.verify('wrong horse', hash)
      const { user, system } = process.cpuUsage(start)
      return user + system
    }
    const known = await time(stored)
    const unknown = await time(undefined)
    // Work without the stand-in takes less than a hundredth; this bound only tells the two apart.
    assert.ok(unknown > known / 4, `${unknown} of ${known} microseconds`)
  })

  test('the same keys give the same password in either Unicode form', async () => {
    const passwords = new Passwords({ cost: CHEAP })
    const stored = await passwords.hash('Zu\u0308rich-Uhr')
    assert.equal((await passwords.verify('Z\u00fcrich-Uhr', stored)).matches, true)
  })

  test('a new one is refused when short, too long, common or made of the account', async () => {
    const passwords = new Passwords({ cost: CHEAP, isCommon: password => password === 'password1' })
    assert.equal(await passwords.fault('seven77'), 'too-short')
    assert.equal(await passwords.fault('x'.repeat(1_025)), 'too-long')
    assert.equal(await passwords.fault('password1'), 'common')
    assert.equal(await passwords.fault('alicesmith1', ['alicesmith@shop.example']), 'contains-account')
    assert.equal(await passwords.fault('a quiet river', ['alicesmith@shop.example']), undefined)
  })
})

describe('the queue of password work', () => {
  test('runs no more at once than it may, in order, and hands places over', async () => {
    const queue = new WorkQueue({ concurrency: 2, waiting: 10 })
    const gates: (() => void)[] = []
    const started: number[] = []
    const work = [0, 1, 2, 3].map(number =>
      queue.run(async () => {
        started.push(number)
        await new Promise<void>(resolve => gates.push(resolve))
        return number
      }),
    )
    await Promise.resolve()
    assert.deepEqual(started, [0, 1])
    gates[0]?.()
    await work[0]
    assert.deepEqual(started, [0, 1, 2])
    gates[1]?.()
    await work[1]
    gates[2]?.()
    gates[3]?.()
    assert.deepEqual(await Promise.all(work), [0, 1, 2, 3])
    assert.equal(queue.size, 0)
  })

  test('refuses at once when full, with seconds to wait, and goes on after a failure', async () => {
    const queue = new WorkQueue({ concurrency: 1, waiting: 1, expected: 2_000 })
    let open = (): void => {}
    const first = queue.run(
      () =>
        new Promise<void>(resolve => {
          open = resolve
        }),
    )
    const second = queue.run(() => Promise.reject(new Error('broken')))
    await assert.rejects(
      queue.run(async () => {}),
      (error: unknown) => {
        assert.ok(error instanceof QueueFull)
        assert.equal(error.retryAfter, 4)
        return true
      },
    )
    open()
    await first
    await assert.rejects(second, /broken/)
    assert.equal(await queue.run(async () => 'again'), 'again')
  })
})
