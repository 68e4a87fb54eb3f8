import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeHeldContext, type HeldContext, openHeld, sealHeld } from '../src/held/held-record.ts'
import { Member } from '../src/held/member.ts'
import { createSpace, grantSpace, openGrant } from '../src/held/space.ts'

const place: HeldContext = { tenant: '', table: 'notes', column: 'body', row: ['7'], version: 0 }

describe('a server that names places to a browser', () => {
  const wrong: readonly (readonly [string, Partial<HeldContext>])[] = [
    ['a key that is half a character', { row: ['\ud800'] }],
    ['a key longer than its length says', { row: ['x'.repeat(65_536 + 1)] }],
    ['a table longer than its length says', { table: 'n'.repeat(65_541) }],
    ['an empty key value', { row: [''] }],
    ['no key', { row: [] }],
    ['257 key values, which a byte counts as one', { row: Array.from({ length: 257 }, () => '7') }],
    ['no table', { table: '' }],
    ['half a version', { version: 0.5 }],
    ['a version before the first', { version: -1 }],
    ['a version that is not exact', { version: 2 ** 53 }],
  ]
  for (const [name, change] of wrong)
    it(`${name}: nothing is sealed there, and nothing opens`, async () => {
      const space = createSpace()
      const elsewhere = { ...place, ...change }
      await assert.rejects(sealHeld(space, elsewhere, new Uint8Array(1)), { code: 'POSTERN_INTEGRITY' })
      const sealed = await sealHeld(space, place, new Uint8Array(1))
      await assert.rejects(
        openHeld(() => space, elsewhere, sealed),
        { code: 'POSTERN_INTEGRITY' },
      )
    })

  it('that differ in half a character are two: both halves were one place', () => {
    assert.throws(() => encodeHeldContext({ ...place, row: ['\ud800'] }), { code: 'POSTERN_INTEGRITY' })
    assert.throws(() => encodeHeldContext({ ...place, row: ['\udc00'] }), { code: 'POSTERN_INTEGRITY' })
    assert.ok(encodeHeldContext({ ...place, row: ['\u{10000}'] }).length > 0)
  })
})

describe('a member that one trusts', () => {
  it('grants no epoch that the format cannot say, which would pass for another one', async () => {
    const [anne, bob] = [await Member.create(), await Member.create()]
    for (const epoch of [256, -1, 0.5, Number.NaN])
      await assert.rejects(grantSpace(anne, bob.public, { ...createSpace(), epoch }), {
        code: 'POSTERN_INTEGRITY',
      })
  })

  it('grants no key of another length', async () => {
    const [anne, bob] = [await Member.create(), await Member.create()]
    const grant = await grantSpace(anne, bob.public, { ...createSpace(), key: new Uint8Array(0) })
    await assert.rejects(openGrant(bob, grant, [anne.public]), { code: 'POSTERN_INTEGRITY' })
  })
})
