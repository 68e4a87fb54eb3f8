import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemRandom } from '@postern/core'
import fc from 'fast-check'
import { HolderCore } from '../src/holder/holder-core.ts'
import { encodeContext } from '../src/record/record-context.ts'
import { saltFrom } from '../src/split/contribution.ts'
import { PART_BYTES } from '../src/split/part.ts'
import { packed, TestPerson, testHolders } from './support/holders.ts'
import { context, item, named, nonceOf, refusedAs } from './support/requests.ts'

describe('a right to seal never opens', () => {
  const rows = (nonces: readonly { holder: number; nonce: string }[]) => ({
    op: 'seal',
    epoch: 0,
    items: [{ context: context(1), contributions: nonces }],
  })

  it('the salt cannot be given: a seal without the holder’s own contribution is refused', () => {
    const { cores } = testHolders()
    const [one] = cores as [HolderCore, HolderCore, HolderCore]
    const mine = Buffer.alloc(16, 1).toString('base64url')
    assert.equal(
      refusedAs(
        one.answer(
          'ingest',
          rows([
            { holder: 1, nonce: mine },
            { holder: 2, nonce: mine },
          ]),
        ),
      ),
      'contribution',
    )
    assert.equal(
      refusedAs(
        one.answer(
          'ingest',
          rows([
            { holder: 2, nonce: mine },
            { holder: 3, nonce: mine },
          ]),
        ),
      ),
      'contribution',
    )
  })

  it('a contribution works once: replaying the very request that sealed a record does not return its key', () => {
    const { cores } = testHolders()
    const [one, two] = cores as [HolderCore, HolderCore, HolderCore]
    const contributions = [
      { holder: 1, nonce: nonceOf(one.answer('ingest', { op: 'nonces', count: 1 })) },
      { holder: 2, nonce: nonceOf(two.answer('ingest', { op: 'nonces', count: 1 })) },
    ]
    const request = rows(contributions)
    assert.ok('parts' in one.answer('ingest', request))
    assert.equal(refusedAs(one.answer('ingest', request)), 'contribution')
  })

  it('a contribution handed to one service is of no use to another', () => {
    const { cores } = testHolders()
    const [one] = cores as [HolderCore, HolderCore, HolderCore]
    const nonce = nonceOf(one.answer('app', { op: 'nonces', count: 1 }))
    const other = Buffer.alloc(16).toString('base64url')
    assert.equal(
      refusedAs(
        one.answer(
          'ingest',
          rows([
            { holder: 1, nonce },
            { holder: 2, nonce: other },
          ]),
        ),
      ),
      'contribution',
    )
  })

  it('one contribution in two items of a batch is refused, and both are used up with neither', () => {
    const { cores } = testHolders()
    const [one] = cores as [HolderCore, HolderCore, HolderCore]
    const nonce = nonceOf(one.answer('app', { op: 'nonces', count: 1 }))
    const other = Buffer.alloc(16).toString('base64url')
    const contributions = [
      { holder: 1, nonce },
      { holder: 2, nonce: other },
    ]
    const twice = {
      op: 'seal',
      epoch: 0,
      items: [
        { context: context(1), contributions },
        { context: context(2), contributions },
      ],
    }
    assert.equal(refusedAs(one.answer('app', twice)), 'contribution')
  })

  it('salts depend on every contribution and on the place', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        (x, y) => {
          const base = saltFrom(encodeContext(context(1)), [
            { holder: 1, nonce: x },
            { holder: 2, nonce: y },
          ])
          assert.ok(
            !saltFrom(encodeContext(context(2)), [
              { holder: 1, nonce: x },
              { holder: 2, nonce: y },
            ]).equals(base),
          )
          assert.ok(
            !saltFrom(encodeContext(context(1)), [
              { holder: 1, nonce: x },
              { holder: 3, nonce: y },
            ]).equals(base),
          )
          if (!Buffer.from(x).equals(y))
            assert.ok(
              !saltFrom(encodeContext(context(1)), [
                { holder: 1, nonce: y },
                { holder: 2, nonce: x },
              ]).equals(base),
            )
        },
      ),
    )
  })

  it('an ingest service, which may only seal, opens nothing', () => {
    const { cores } = testHolders()
    for (const core of cores)
      assert.equal(refusedAs(core.answer('ingest', { op: 'open', items: packed([item(1)]) })), 'forbidden')
  })
})

describe('what a holder is sent', () => {
  it('never throws it: any JSON is answered, and hostile text is not repeated', () => {
    const holders = testHolders()
    const [core] = holders.cores as [HolderCore]
    const shape = fc.oneof(
      fc.jsonValue(),
      fc.record({
        op: fc.constantFrom('open', 'seal', 'nonces', 'term', 'harden', '__proto__'),
        items: fc.jsonValue(),
        count: fc.jsonValue(),
        epoch: fc.jsonValue(),
        digests: fc.jsonValue(),
        capability: fc.jsonValue(),
      }),
    )
    fc.assert(
      fc.property(shape, body => {
        assert.equal(refusedAs(core.answer('app', body)), 'malformed')
      }),
      { numRuns: 1_000 },
    )
    assert.equal(JSON.stringify(core.answer('app', { op: 's3cret' })).includes('s3cret'), false)
  })

  it('a service it does not know gets nothing', () => {
    const { cores } = testHolders()
    for (const name of ['nobody', '__proto__', 'constructor', ''])
      assert.equal(refusedAs((cores[0] as HolderCore).answer(name, { op: 'ping' })), 'forbidden', name)
  })

  it('columns a service has no right to are refused, whatever else the batch holds', () => {
    const { cores } = testHolders()
    const [core] = cores as [HolderCore]
    assert.equal(
      refusedAs(core.answer('other', { op: 'open', items: packed([item(1, 'notes', 'body')]) })),
      undefined,
    )
    assert.equal(
      refusedAs(core.answer('other', { op: 'open', items: packed([item(1, 'notes', 'title')]) })),
      'forbidden',
    )
    assert.equal(
      refusedAs(core.answer('other', { op: 'open', items: packed([item(1, 'notes', 'body'), item(1)]) })),
      'forbidden',
    )
  })

  it('events never hold a salt, a part, or a capability', () => {
    const holders = testHolders()
    const [core] = holders.cores as [HolderCore]
    const alice = new TestPerson('alice', holders.enroller, holders.clock)
    const capability = alice.capability(named(1))
    const answer = core.answer('app', { op: 'open', items: packed([item(1)]), capability })
    assert.ok('parts' in answer)
    const log = JSON.stringify(holders.recorder.events, (_key, value: unknown) =>
      typeof value === 'bigint' ? `${value}` : value,
    )
    const part = answer.parts.b ?? ''
    assert.equal(Buffer.from(part, 'base64url').length, PART_BYTES)
    for (const secret of [item(1).salt, part, capability.slice(0, 40)])
      assert.equal(log.includes(secret), false)
    assert.match(log, /vault\.opened/)
  })
})

describe('guesses at passwords', () => {
  it('are limited per user, and hold over a restart', async () => {
    const holders = testHolders({ guesses: 4 })
    const [option] = holders.options
    assert.ok(option !== undefined)
    const { ristretto255_oprf } = await import('@noble/curves/ed25519.js')
    const { blinded } = ristretto255_oprf.oprf.blind(systemRandom.bytes(8))
    const request = (user: string) => ({
      op: 'harden',
      user,
      epoch: 0,
      blinded: Buffer.from(blinded).toString('base64url'),
    })
    const core = new HolderCore(option)
    for (let i = 0; i < 3; i++) assert.equal(refusedAs(core.answer('app', request('alice'))), undefined)
    assert.equal(refusedAs(core.answer('app', request('alice'))), 'budget')
    assert.equal(refusedAs(new HolderCore(option).answer('app', request('alice'))), 'budget')
    assert.equal(refusedAs(core.answer('app', request('bob'))), undefined)
    assert.equal(refusedAs(core.answer('other', request('bob'))), 'forbidden')
    assert.equal(
      refusedAs(core.answer('app', { ...request('bob'), blinded: Buffer.alloc(32).toString('base64url') })),
      'malformed',
    )
  })
})
