import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Accounts } from '../src/account/accounts.ts'
import { parseEmail } from '../src/account/email.ts'
import { Authenticators } from '../src/totp/authenticators.ts'
import { RecoveryCodes } from '../src/totp/recovery-codes.ts'
import { base32, hotp, matchTotp, totpStep, totpUri } from '../src/totp/totp.ts'
import { oneDatabase, testSecret, VirtualClock } from './support.ts'

const SECRET = Buffer.from('12345678901234567890')

describe('TOTP', () => {
  // RFC 6238 appendix B: the secret is as long as the hash.
  const times = [59, 1_111_111_109, 1_111_111_111, 1_234_567_890, 2_000_000_000, 20_000_000_000]
  const vectors: Readonly<Record<string, readonly string[]>> = {
    sha1: ['94287082', '07081804', '14050471', '89005924', '69279037', '65353130'],
    sha256: ['46119246', '68084774', '67062674', '91819424', '90698825', '77737706'],
    sha512: ['90693936', '25091201', '99943326', '93441116', '38618901', '47863826'],
  }
  for (const [algorithm, codes] of Object.entries(vectors)) {
    test(`gives the codes of RFC 6238 appendix B with ${algorithm}`, () => {
      const length = { sha1: 20, sha256: 32, sha512: 64 }[algorithm] ?? 0
      const secret = Buffer.alloc(length, SECRET)
      assert.deepEqual(
        times.map(time => hotp(secret, totpStep(time * 1_000), 8, algorithm)),
        codes,
      )
    })
  }

  test('gives the codes of RFC 4226 appendix D', () => {
    const codes = [
      '755224',
      '287082',
      '359152',
      '969429',
      '338314',
      '254676',
      '287922',
      '162583',
      '399871',
      '520489',
    ]
    assert.deepEqual(
      codes.map((_, counter) => hotp(SECRET, counter)),
      codes,
    )
  })

  test('takes the code of this step and of those beside it, and of no other', () => {
    const now = 1_111_111_111_000
    const step = totpStep(now)
    for (const [offset, isRight] of [
      [-2, false],
      [-1, true],
      [0, true],
      [1, true],
      [2, false],
    ] as const)
      assert.equal(matchTotp(SECRET, hotp(SECRET, step + offset), now), isRight ? step + offset : undefined)
    for (const code of ['', '1', '28708', '2870821', 'abcdef'])
      assert.equal(matchTotp(SECRET, code, now), undefined)
  })

  test('writes secrets in base32 as RFC 4648 section 10 does', () => {
    const vectors = {
      '': '',
      f: 'MY',
      fo: 'MZXQ',
      foo: 'MZXW6',
      foob: 'MZXW6YQ',
      fooba: 'MZXW6YTB',
      foobar: 'MZXW6YTBOI',
    }
    for (const [plain, text] of Object.entries(vectors)) assert.equal(base32(Buffer.from(plain)), text)
    assert.equal(
      totpUri('My Shop', 'a@b.example', SECRET),
      'otpauth://totp/My%20Shop:a%40b.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=My%20Shop',
    )
  })
})

describe('an authenticator app', () => {
  async function enrolled(t: Parameters<typeof oneDatabase>[0]) {
    const database = await oneDatabase(t)
    const clock = new VirtualClock()
    const shared = { database, secret: testSecret(), clock }
    const apps = new Authenticators({ ...shared, issuer: 'Shop' })
    const email = parseEmail('alice@shop.example')
    assert.ok(email)
    const account = await new Accounts(shared).create({ email, emailVerified: 'yes' })
    assert.ok(account)
    const { secret } = await apps.begin(account.id, email)
    const bits = [...secret]
      .map(letter => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'))
      .join('')
    const bytes = Uint8Array.from(bits.match(/.{8}/g) ?? [], byte => Number.parseInt(byte, 2))
    const code = (offset = 0): string => hotp(bytes, totpStep(clock.now()) + offset)
    return { database, clock, apps, account, code, shared }
  }

  test('counts once a code was shown, and a code is not taken again, nor an older one after it', async t => {
    const { clock, apps, account, code } = await enrolled(t)
    assert.equal(await apps.has(account.id), false)
    assert.equal(await apps.verify(account.id, code()), false)
    assert.equal(await apps.confirm(account.id, code()), true)
    assert.equal(await apps.verify(account.id, code()), false)
    clock.advance(60_000)
    assert.equal(await apps.verify(account.id, code()), true)
    assert.equal(await apps.verify(account.id, code(-1)), false)
    assert.equal(await apps.verify(account.id, code()), false)
  })

  test('after ten wrong codes takes none for half an hour, and its secret is stored sealed', async t => {
    const { clock, apps, account, code, database } = await enrolled(t)
    await apps.confirm(account.id, code())
    clock.advance(60_000)
    for (let i = 0; i < 10; i++) await apps.verify(account.id, '000000')
    assert.equal(await apps.verify(account.id, code()), false)
    clock.advance(1_800_001)
    assert.equal(await apps.verify(account.id, code()), true)
    const [row] = await database.rows<{ sealed: string }>('SELECT sealed FROM totp', [])
    assert.throws(() => testSecret().open('totp:another', row?.sealed ?? ''), /does not open/)
  })

  test('attack: guesses for two months, as fast as they are taken, are about ten a day', async t => {
    const { clock, apps, account, code, database, shared } = await enrolled(t)
    await apps.confirm(account.id, code())
    let looked = 0
    const watched: typeof database = {
      dialect: database.dialect,
      batch: steps => database.batch(steps),
      rows: (text, values) => {
        looked++
        return database.rows(text, values)
      },
    }
    const attacked = new Authenticators({ ...shared, issuer: 'Shop', database: watched })
    for (let halfHours = 0; halfHours < 60 * 48; halfHours++) {
      for (let i = 0; i < 11; i++) await attacked.verify(account.id, String(i).padStart(6, '0'))
      clock.advance(1_800_001)
    }
    assert.ok(looked >= 600 && looked < 700, `${looked} codes were looked at`)
  })

  test('is replaced by no second one while it is there', async t => {
    const { apps, account, code } = await enrolled(t)
    await apps.confirm(account.id, code())
    await assert.rejects(apps.begin(account.id, 'x'), /already/)
  })

  test('recovery codes belong to one account, work once, and end with the next set', async t => {
    const { account, shared } = await enrolled(t)
    const codes = new RecoveryCodes(shared)
    const [first = '', second = ''] = await codes.renew(account.id)
    assert.equal(await codes.redeem('another', first), false)
    const tries = await Promise.all(
      [1, 2, 3].map(() => codes.redeem(account.id, first.toUpperCase().replaceAll('-', ' '))),
    )
    assert.deepEqual(tries.filter(Boolean), [true])
    assert.equal(await codes.left(account.id), 9)
    await codes.renew(account.id)
    assert.equal(await codes.redeem(account.id, second), false)
  })
})
