import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { openFile, sealFile } from '../src/held/held-file.ts'
import { encodeHeldContext, openHeld, sealHeld, sealHeldWith } from '../src/held/held-record.ts'
import { type HeldSuite, Member, memberFingerprint } from '../src/held/member.ts'
import { recoverFromShares, recoveryShares } from '../src/held/recovery-shares.ts'
import { SessionKey } from '../src/held/session-key.ts'
import { createSpace, grantSpace, nextEpoch, openGrant } from '../src/held/space.ts'
import {
  type Harden,
  unlockWithCode,
  unlockWithPasskey,
  unlockWithPassword,
  wrapWithCode,
  wrapWithPasskey,
  wrapWithPassword,
} from '../src/held/wrapped-root.ts'
import { HmacKey } from '../src/primitive/hmac-key.ts'
import { encodeContext } from '../src/record/record-context.ts'
import { recordPrf } from '../src/record/record-keys.ts'
import { sealRecord } from '../src/record/seal-record.ts'
import { type Capability, capabilityToSign } from '../src/split/capability.ts'
import { signIdentity } from '../src/split/identity-statement.ts'
import type { SplitKeys } from '../src/split/split-keys.ts'
import { packed, type TestHolders, testHolders } from './support/holders.ts'

const HELD = { code: 'POSTERN_INTEGRITY', name: 'HeldError' }
const context = { tenant: 't', table: 'notes', column: 'body', row: ['7', 'é'], version: 3 }
const text = (value: string): Uint8Array => new TextEncoder().encode(value)
/** Little work: what is tested is not how slow argon2id is. */
const WORK = { memory: 64, passes: 1 }

function hardenBy(keys: SplitKeys, user: string): Harden {
  return async blinded => {
    const { a, b, c } = await keys.harden(user, 0, blinded)
    return { epoch: 0, parts: [a, b, c] }
  }
}

describe('held records', () => {
  it('are the same bytes in a browser and on a server', async () => {
    const space = createSpace()
    const salt = new Uint8Array(16).fill(9)
    const sealed = await sealHeldWith(space, context, text('hello'), salt)
    const encoded = encodeContext(context)
    const recordKey = recordPrf(new HmacKey('sha256', space.key), encoded, salt)
    const onServer = sealRecord({
      recordKey,
      salt,
      mode: 'held',
      epoch: 0,
      context: encoded,
      plaintext: text('hello'),
    })
    assert.deepEqual(Buffer.from(sealed), onServer)
    assert.equal(sealed.length, 5 + 52)
  })

  it('encode their place as the server does', () => {
    const name = fc.string({ minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(
        name,
        name,
        fc.array(name, { minLength: 1, maxLength: 4 }),
        fc.maxSafeNat(),
        (table, column, row, version) => {
          const place = { tenant: '', table, column, row, version }
          assert.deepEqual(Buffer.from(encodeHeldContext(place)), encodeContext(place))
        },
      ),
    )
  })

  it('open in their place, with the key of their epoch, and nowhere else', async () => {
    const space = createSpace()
    const later = nextEpoch(space)
    const sealed = await sealHeld(space, context, text('hello'))
    const keyOf = (epoch: number) => [space, later][epoch]
    assert.equal(Buffer.from(await openHeld(keyOf, context, sealed)).toString(), 'hello')
    await assert.rejects(
      openHeld(() => createSpace(), context, sealed),
      HELD,
    )
    await assert.rejects(
      openHeld(() => undefined, context, sealed),
      HELD,
    )
    for (const change of [{ tenant: '' }, { table: 'x' }, { column: 'x' }, { row: ['7'] }, { version: 4 }])
      await assert.rejects(openHeld(keyOf, { ...context, ...change }, sealed), HELD)
    for (let at = 0; at < sealed.length; at++) {
      const changed = sealed.slice()
      changed[at] = (changed[at] ?? 0) ^ 1
      await assert.rejects(openHeld(keyOf, context, changed), HELD, `byte ${at}`)
    }
    for (const length of [0, 3, 51, sealed.length - 1])
      await assert.rejects(openHeld(keyOf, context, sealed.subarray(0, length)), HELD)
  })
})

for (const suite of ['x25519', 'x-wing'] as const satisfies readonly HeldSuite[]) {
  describe(`members and spaces (${suite})`, () => {
    it('share a space; a removed member does not get the next epoch', async () => {
      const [anne, bob] = await Promise.all([Member.create(suite), Member.create(suite)])
      const space = createSpace()
      const forBob = await openGrant(bob, await grantSpace(anne, bob.public, space), [anne.public])
      assert.deepEqual(forBob, space)
      const next = nextEpoch(space)
      const onlyAnne = await grantSpace(anne, anne.public, next)
      await assert.rejects(openGrant(bob, onlyAnne, [anne.public]), HELD)
      const sealed = await sealHeld(next, context, text('after'))
      await assert.rejects(
        openHeld(epoch => (epoch === 0 ? forBob : undefined), context, sealed),
        HELD,
      )
      assert.deepEqual(await openGrant(anne, onlyAnne, [anne.public]), next)
    })

    it('take no grant of a server: neither unsigned, nor by a stranger, nor changed in anything', async () => {
      const [anne, bob, server] = await Promise.all([
        Member.create(suite),
        Member.create(suite),
        Member.create(suite),
      ])
      const grant = await grantSpace(anne, bob.public, createSpace())
      const planted = await grantSpace(server, bob.public, createSpace())
      await assert.rejects(openGrant(bob, planted, [anne.public]), HELD)
      await assert.rejects(openGrant(bob, { ...planted, by: grant.by }, [anne.public]), HELD)
      await assert.rejects(openGrant(server, grant, [anne.public]), HELD)
      for (const change of [
        { space: createSpace().space },
        { epoch: 1 },
        { ciphertext: planted.ciphertext },
        { signature: planted.signature },
        { encapsulated: planted.encapsulated },
      ])
        await assert.rejects(
          openGrant(bob, { ...grant, ...change }, [anne.public]),
          HELD,
          Object.keys(change)[0],
        )
    })

    it('are the same after unlocking with a passkey, a code or shares', async () => {
      const member = await Member.create(suite)
      const prf = new Uint8Array(32).fill(3)
      const passkey = await wrapWithPasskey(member, prf)
      assert.deepEqual((await unlockWithPasskey(passkey, prf)).public, member.public)
      await assert.rejects(unlockWithPasskey(passkey, new Uint8Array(32)), HELD)
      const { code, wrapped } = await wrapWithCode(member)
      assert.match(code, /^([0-9A-Z]{4}-){8}[0-9A-Z]{4}$/)
      assert.deepEqual(
        (await unlockWithCode(wrapped, ` ${code.toLowerCase().replaceAll('-', ' ')} `)).public,
        member.public,
      )
      const shares = await recoveryShares(member, 5, 3)
      assert.deepEqual(
        (await recoverFromShares([shares[4], shares[0], shares[2]] as string[])).public,
        member.public,
      )
      await assert.rejects(recoverFromShares(shares.slice(0, 2)), HELD)
      const others = await recoveryShares(await Member.create(suite), 3, 2)
      await assert.rejects(recoverFromShares([shares[0], shares[1], others[0]] as string[]), HELD)
      await assert.rejects(recoverFromShares([]), HELD)
    })
  })
}

describe('a recovery code', () => {
  it('that was mistyped is distinguished from one of another member', async () => {
    const { code, wrapped } = await wrapWithCode(await Member.create())
    for (let at = 0; at < code.length; at += 3) {
      if (code[at] === '-') continue
      const mistyped = code.slice(0, at) + (code[at] === '7' ? '8' : '7') + code.slice(at + 1)
      await assert.rejects(unlockWithCode(wrapped, mistyped), /mistyped/)
    }
    await assert.rejects(unlockWithCode(wrapped, ''), /mistyped/)
    const other = await wrapWithCode(await Member.create())
    await assert.rejects(unlockWithCode(wrapped, other.code), /does not open/)
  })
})

describe('a password', () => {
  function setting(): { readonly holders: TestHolders; readonly harden: Harden } {
    const holders = testHolders({ guesses: 8 })
    return { holders, harden: hardenBy(holders.keys, 'anne') }
  }

  it('unlocks through any two holders, and a wrong one does not', async () => {
    const { holders, harden } = setting()
    const member = await Member.create()
    const wrapped = await wrapWithPassword(member, 'correct horse', harden, WORK)
    assert.deepEqual((await unlockWithPassword(wrapped, 'correct horse', harden)).public, member.public)
    for (const link of holders.links) {
      link.isUp = false
      link.fault = 'down'
      assert.deepEqual((await unlockWithPassword(wrapped, 'correct horse', harden)).public, member.public)
      link.isUp = true
      link.fault = 'none'
    }
    await assert.rejects(unlockWithPassword(wrapped, 'correct horsf', harden), HELD)
  })

  it('is written in one way only: composed and decomposed characters are the same', async () => {
    const { harden } = setting()
    const member = await Member.create()
    const wrapped = await wrapWithPassword(member, 'caf\u00e9', harden, WORK)
    assert.deepEqual((await unlockWithPassword(wrapped, 'cafe\u0301', harden)).public, member.public)
  })

  it('cannot be guessed offline: with other holders, or as another user, the right one does not unlock', async () => {
    const { holders, harden } = setting()
    const wrapped = await wrapWithPassword(await Member.create(), 'hunter2', harden, WORK)
    await assert.rejects(unlockWithPassword(wrapped, 'hunter2', hardenBy(holders.keys, 'mallory')), HELD)
    await assert.rejects(unlockWithPassword(wrapped, 'hunter2', hardenBy(testHolders().keys, 'anne')), HELD)
  })

  it('can be guessed only a few times online', async () => {
    const { harden } = setting()
    const wrapped = await wrapWithPassword(await Member.create(), 'hunter2', harden, WORK)
    let guesses = 0
    for (let i = 0; i < 30; i++) {
      try {
        await unlockWithPassword(wrapped, `guess ${i}`, harden)
      } catch (error) {
        if ((error as { code?: string }).code === 'POSTERN_BUDGET_EXCEEDED') break
        guesses++
      }
    }
    assert.ok(guesses <= 12, `${guesses} guesses`)
  })

  it('is never seen by holders: two of the same look different', async () => {
    const { holders } = setting()
    const seen: string[] = []
    const harden: Harden = async blinded => {
      seen.push(Buffer.from(blinded).toString('hex'))
      const { a, b, c } = await holders.keys.harden('anne', 0, blinded)
      return { epoch: 0, parts: [a, b, c] }
    }
    const wrapped = await wrapWithPassword(await Member.create(), 'hunter2', harden, WORK)
    await unlockWithPassword(wrapped, 'hunter2', harden)
    assert.notEqual(seen[0], seen[1])
  })

  it('a server that asks for absurd work, or answers nonsense, gets an error', async () => {
    const { harden } = setting()
    const wrapped = await wrapWithPassword(await Member.create(), 'hunter2', harden, WORK)
    await assert.rejects(
      unlockWithPassword({ ...wrapped, work: { memory: 2 ** 31, passes: 1 } }, 'hunter2', harden),
      HELD,
    )
    const bad = new Uint8Array(32).fill(255)
    await assert.rejects(
      unlockWithPassword(wrapped, 'hunter2', async () => ({ epoch: 0, parts: [bad, bad, bad] })),
      HELD,
    )
  })
})

describe('fingerprints of members', () => {
  it('are twelve groups of five digits and differ', async () => {
    const [anne, bob] = await Promise.all([Member.create(), Member.create()])
    const prints = await Promise.all([memberFingerprint(anne.public), memberFingerprint(bob.public)])
    assert.match(prints[0], /^(\d{5} ){11}\d{5}$/)
    assert.notEqual(prints[0], prints[1])
  })
})

describe('a session key of a browser', () => {
  it('signs capabilities that holders take, in the same form as the server does', async () => {
    const holders = testHolders()
    const session = await SessionKey.create()
    const now = holders.clock.now()
    const identity = signIdentity(holders.enroller, {
      actor: 'anné',
      key: session.publicKey,
      notAfter: now + 3_600_000,
    })
    const records = [{ tenant: 'ü', table: 'customers', row: ['7', 'é"\n'], columns: ['email'] }]
    const request = { action: 'open', service: 'app', records, identity } as const
    const capability = await session.capability(request, now)
    const json = Buffer.from(capability.split('.')[0] ?? '', 'base64url').toString()
    const { bytes } = capabilityToSign(JSON.parse(json) as Capability)
    assert.equal(Buffer.from(bytes).toString(), `postern vault capability 1\n${json}`)
    const place = { tenant: 'ü', table: 'customers', column: 'email', row: ['7', 'é"\n'], version: 0 }
    const items = packed([{ context: place, epoch: 0, salt: Buffer.alloc(16).toString('base64url') }])
    const ask = (given: string) => holders.cores[0]?.answer('app', { op: 'open', items, capability: given })
    assert.ok('parts' in (ask(capability) ?? {}))
    assert.deepEqual(ask(capability), { refused: 'capability' })
    const long = await session.capability({ ...request, lifetime: 400_000 }, now)
    assert.deepEqual(ask(long), { refused: 'capability' })
  })
})

describe('held files', () => {
  const key = new Uint8Array(32).fill(1)
  async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
    const parts: Uint8Array[] = []
    for await (const part of stream) parts.push(part)
    return Buffer.concat(parts)
  }
  const sized = (size: number): Buffer =>
    createHash('shake256', { outputLength: size }).update('file').digest()

  for (const size of [0, 1, 65_535, 65_536, 65_537, 200_000]) {
    it(`of ${size} bytes come back, however the stream was cut`, async () => {
      const content = sized(size)
      const sealed = await bytesOf(sealFile(key, 'a/b', [content.subarray(0, 7), content.subarray(7)]))
      const pieces = Array.from({ length: Math.ceil(sealed.length / 999) }, (_, i) =>
        sealed.subarray(i * 999, i * 999 + 999),
      )
      assert.deepEqual(await bytesOf(openFile(key, 'a/b', pieces)), content)
    })
  }

  it('that were cut, reordered, repeated, changed or moved are errors', async () => {
    const sealed = await bytesOf(sealFile(key, 'a', [sized(200_000)]))
    const [header, chunk] = [36, 65_552]
    const part = (index: number): Buffer =>
      sealed.subarray(header + index * chunk, header + (index + 1) * chunk)
    const head = sealed.subarray(0, header)
    const forged = [
      Buffer.concat([head, part(0)]),
      Buffer.concat([head, part(1), part(0), part(2), part(3)]),
      Buffer.concat([head, part(0), part(0), part(1), part(2), part(3)]),
      Buffer.concat([head, part(0), part(2), part(3)]),
      Buffer.concat([sealed, Buffer.alloc(1)]),
      sealed.subarray(0, -1),
      head,
      Buffer.alloc(0),
      Buffer.from(sealed.map((byte, index) => (index === 100_000 ? byte ^ 1 : byte))),
      Buffer.from(sealed.map((byte, index) => (index === 25 ? byte ^ 1 : byte))),
    ]
    for (const [index, bytes] of forged.entries())
      await assert.rejects(bytesOf(openFile(key, 'a', [bytes])), HELD, `${index}`)
    await assert.rejects(bytesOf(openFile(key, 'b', [sealed])), HELD)
    await assert.rejects(bytesOf(openFile(new Uint8Array(32), 'a', [sealed])), HELD)
  })

  it('of any size need the memory of a few chunks', async () => {
    // 64 MiB here; POSTERN_TEST_LONG=1 runs 1 GiB.
    const mebibytes = process.env['POSTERN_TEST_LONG'] === '1' ? 1_024 : 64
    async function* zeros(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < mebibytes; i++) yield new Uint8Array(1_048_576)
    }
    const before = process.memoryUsage()
    let highest = 0
    let length = 0
    for await (const chunk of openFile(key, 'a', sealFile(key, 'a', zeros()))) {
      length += chunk.length
      if (length % (8 * 1_048_576) === 0) {
        globalThis.gc?.()
        const { heapUsed } = process.memoryUsage()
        highest = Math.max(highest, heapUsed - before.heapUsed)
      }
    }
    assert.equal(length, mebibytes * 1_048_576)
    assert.ok(highest < 48 * 1_048_576, `${highest} bytes more`)
  })
})

describe('the module for browsers', () => {
  it('imports nothing of Node, directly or through its own files', () => {
    for (const file of globSync(new URL('../src/held/*.ts', import.meta.url).pathname)) {
      const source = readFileSync(file, 'utf8')
      assert.equal(/from '(?:node:|@postern|\.\.\/)/.test(source), false, file)
      assert.equal(/\bBuffer\b/.test(source), false, file)
    }
  })
})
