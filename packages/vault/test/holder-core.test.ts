import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemRandom, VirtualClock } from '@postern/core'
import fc from 'fast-check'
import { holderShare } from '../src/holder/budgets.ts'
import { CountedRecords } from '../src/holder/counted-records.ts'
import type { HolderAnswer } from '../src/holder/holder-answer.ts'
import { HolderCore } from '../src/holder/holder-core.ts'
import { MemoryJournal } from '../src/holder/memory-journal.ts'
import { generateSigningKey } from '../src/primitive/ed25519.ts'
import { encodeContext, type RecordContext } from '../src/record/record-context.ts'
import { saltFrom } from '../src/split/contribution.ts'
import { PART_BYTES } from '../src/split/part.ts'
import { packed, TestPerson, testHolders } from './support/holders.ts'

const context = (row: number | string, table = 'customers', column = 'email'): RecordContext => ({
  tenant: '',
  table,
  column,
  row: [`${row}`],
  version: 0,
})
const item = (row: number, table = 'customers', column = 'email') => ({
  context: context(row, table, column),
  epoch: 0,
  salt: Buffer.alloc(16, row).toString('base64url'),
})
const named = (...rows: number[]) =>
  rows.map(row => ({ tenant: '', table: 'customers', row: [`${row}`], columns: ['email'] }))
const refusedAs = (answer: HolderAnswer): string | undefined =>
  'refused' in answer ? answer.refused : undefined
const nonceOf = (answer: HolderAnswer): string => ('nonces' in answer ? (answer.nonces[0] ?? '') : '')

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

describe('budgets', () => {
  const budgets = { person: 8, service: 4, served: 1_000, table: 1_000, all: 1_000 }
  const open = (core: HolderCore, ...rows: number[]) =>
    core.answer('app', { op: 'open', items: packed(rows.map(row => item(row))) })

  it('a holder counts three quarters, so that the bound is 1.5 B even for who has stolen another holder', () => {
    assert.deepEqual([1, 2, 4, 100, 1_000].map(holderShare), [1, 1, 3, 75, 750])
    const holders = testHolders({ budgets })
    const [, two, three] = holders.cores as [HolderCore, HolderCore, HolderCore]
    // Holder 1 is the thief's: each record needs one answer of 2 or of 3.
    let got = 0
    for (let row = 0; row < 100; row++) {
      if (refusedAs(open(two, row)) === undefined || refusedAs(open(three, row)) === undefined) got++
    }
    assert.ok(got <= 1.5 * budgets.service, `${got} opened`)
    assert.equal(got, 6)
  })

  it('count distinct record versions: reading again is free, another version is not', () => {
    const { cores } = testHolders({ budgets })
    const [core] = cores as [HolderCore]
    for (let i = 0; i < 10; i++) assert.equal(refusedAs(open(core, 1, 2)), undefined)
    assert.equal(refusedAs(open(core, 3)), undefined)
    assert.equal(refusedAs(open(core, 4)), 'budget')
    const again = { ...item(1), context: { ...context(1), version: 1 } }
    assert.equal(refusedAs(core.answer('app', { op: 'open', items: packed([again]) })), 'budget')
  })

  it('a batch over the budget opens nothing and costs nothing', () => {
    const { cores } = testHolders({ budgets })
    const [core] = cores as [HolderCore]
    assert.equal(refusedAs(open(core, 1, 2, 3, 4)), 'budget')
    assert.equal(core.used('service app'), 0)
    assert.equal(refusedAs(open(core, 1, 2, 3)), undefined)
  })

  it('say when there is room again, and there is then', () => {
    const { cores, clock } = testHolders({ budgets })
    const [core] = cores as [HolderCore]
    open(core, 1)
    clock.advance(600_000)
    open(core, 2, 3)
    const refusal = open(core, 4)
    assert.ok('retryAt' in refusal)
    assert.equal(refusal.retryAt - clock.now(), 3_000_000)
    clock.advance(3_000_000)
    assert.equal(refusedAs(open(core, 4)), undefined)
    assert.equal(refusedAs(open(core, 5)), 'budget')
  })

  it('a clock that is set back frees nothing', () => {
    const { cores, clock } = testHolders({ budgets })
    const [core] = cores as [HolderCore]
    open(core, 1, 2, 3)
    clock.step(clock.now() - 86_400_000)
    assert.equal(refusedAs(open(core, 4)), 'budget')
  })

  it('hold over a restart', () => {
    const { cores, options } = testHolders({ budgets })
    const [core] = cores as [HolderCore]
    open(core, 1, 2, 3)
    const [option] = options
    assert.ok(option !== undefined)
    const restarted = new HolderCore(option)
    assert.equal(refusedAs(open(restarted, 4)), 'budget')
    assert.equal(refusedAs(open(restarted, 1, 2, 3)), undefined)
  })

  it('a charge that cannot be written down opens nothing', () => {
    const { options } = testHolders({ budgets })
    const [option] = options
    assert.ok(option !== undefined)
    const journal = new MemoryJournal()
    journal.opened = () => {
      throw new Error('disk full')
    }
    const core = new HolderCore({ ...option, journal })
    assert.throws(() => open(core, 1), /disk full/)
  })

  it('people, tables and all are counted apart', () => {
    const holders = testHolders({ budgets: { person: 4, service: 100, served: 6, table: 100, all: 100 } })
    const [core] = holders.cores as [HolderCore]
    const as = (person: TestPerson, ...rows: number[]) =>
      core.answer('app', {
        op: 'open',
        items: packed(rows.map(row => item(row))),
        capability: person.capability(named(...rows)),
      })
    const [alice, bob] = ['alice', 'bob'].map(
      name => new TestPerson(name, holders.enroller, holders.clock),
    ) as [TestPerson, TestPerson]
    assert.equal(refusedAs(as(alice, 1, 2, 3)), undefined)
    assert.equal(refusedAs(as(alice, 4)), 'budget')
    assert.equal(refusedAs(as(bob, 4)), undefined)
    const over = as(bob, 5)
    assert.ok('budget' in over && over.budget === 'served app')
  })

  it('counting agrees with counting by hand, in every scope, also while the table grows', () => {
    const steps = fc.array(fc.record({ scope: fc.nat(3), version: fc.nat(30), wait: fc.nat(20) }), {
      maxLength: 150,
    })
    fc.assert(
      fc.property(steps, list => {
        // Two entries of room, so that the table grows again and again.
        const records = new CountedRecords(100, systemRandom, 2)
        const byHand = new Map<string, { readonly scope: string; readonly time: number }>()
        let now = 0
        for (const { scope: number, version: letter, wait } of list) {
          now += wait
          const [scope, version] = [`scope ${number}`, `version ${letter}`.padEnd(16)]
          for (const [key, { time }] of byHand) if (time + 100 <= now) byHand.delete(key)
          const own = [...byHand.values()].filter(entry => entry.scope === scope)
          const scopes = new Set([...byHand.values()].map(entry => entry.scope))
          assert.equal(records.used(scope, now), own.length)
          assert.equal(records.size(now), byHand.size)
          assert.equal(records.scopes, scopes.size)
          assert.equal(records.freeAt(scope, 1, own.length, now), (own[0]?.time ?? now) + 100)
          assert.equal(records.freeAtInAll(1, byHand.size, now), ([...byHand.values()][0]?.time ?? now) + 100)
          const isNew = !byHand.has(scope + version)
          assert.equal(records.has(scope, version), !isNew)
          assert.equal(records.add(scope, version, now), isNew)
          if (isNew) byHand.set(scope + version, { scope, time: now })
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('capabilities', () => {
  function setting() {
    const holders = testHolders()
    const [core] = holders.cores as [HolderCore]
    const alice = new TestPerson('alice', holders.enroller, holders.clock)
    const ask = (capability: string, row = 1, service = 'app') =>
      refusedAs(core.answer(service, { op: 'open', items: packed([item(row)]), capability }))
    return { holders, core, alice, ask }
  }

  it('open what they name, once', () => {
    const { alice, ask } = setting()
    const capability = alice.capability(named(1))
    assert.equal(ask(capability), undefined)
    assert.equal(ask(capability), 'capability')
  })

  it('a used one stays used over a restart', () => {
    const { holders, alice } = setting()
    const [option] = holders.options
    assert.ok(option !== undefined)
    const capability = alice.capability(named(1))
    const request = { op: 'open', items: packed([item(1)]), capability }
    assert.equal(refusedAs(new HolderCore(option).answer('app', request)), undefined)
    assert.equal(refusedAs(new HolderCore(option).answer('app', request)), 'capability')
  })

  const now = new VirtualClock().now()
  const cases: readonly (readonly [
    string,
    (alice: TestPerson, holders: ReturnType<typeof testHolders>) => string,
  ])[] = [
    ['names another row', alice => alice.capability(named(2))],
    [
      'names another column',
      alice => alice.capability([{ tenant: '', table: 'customers', row: ['1'], columns: ['name'] }]),
    ],
    [
      'names another tenant',
      alice => alice.capability([{ tenant: 'x', table: 'customers', row: ['1'], columns: ['email'] }]),
    ],
    [
      'names a part of the key',
      alice => alice.capability([{ tenant: '', table: 'customers', row: ['1', '2'], columns: ['email'] }]),
    ],
    ['names nothing', alice => alice.capability([])],
    ['is for searching', alice => alice.capability(named(1), { action: 'search' })],
    ['is for another service', alice => alice.capability(named(1), { service: 'other' })],
    ['has expired', alice => alice.capability(named(1), { expiresAt: now })],
    ['lives longer than five minutes', alice => alice.capability(named(1), { expiresAt: now + 300_001 })],
    [
      'was issued early to live long',
      alice => alice.capability(named(1), { issuedAt: now + 9_000, expiresAt: now + 9_000 + 301_500 }),
    ],
    [
      'is from the future',
      alice => alice.capability(named(1), { issuedAt: now + 60_000, expiresAt: now + 120_000 }),
    ],
    ['has a short nonce', alice => alice.capability(named(1), { nonce: 'abc' })],
    [
      'has an identity that expired',
      alice => alice.capability(named(1), { identity: alice.identity(now - 1) }),
    ],
    [
      'has an identity by a stranger',
      (alice, holders) =>
        new TestPerson('alice', generateSigningKey(), holders.clock).capability(named(1), {
          identity: new TestPerson('alice', generateSigningKey(), holders.clock).identity(),
        }) + (alice.name === 'alice' ? '' : 'x'),
    ],
    [
      'borrows the identity of another',
      (alice, holders) =>
        new TestPerson('mallory', holders.enroller, holders.clock).capability(named(1), {
          identity: alice.identity(),
        }),
    ],
    ['is cut', alice => alice.capability(named(1)).slice(0, -2)],
    ['is empty', () => ''],
    ['is two texts', alice => `${alice.capability(named(1))}.x`],
    ['is no JSON', () => 'e30x.e30'],
  ]
  for (const [name, make] of cases) {
    it(`one that ${name} is refused, and the caller is not told why`, () => {
      const { holders, alice, core } = setting()
      const answer = core.answer('app', {
        op: 'open',
        items: packed([item(1)]),
        capability: make(alice, holders),
      })
      assert.deepEqual(answer, { refused: 'capability' })
    })
  }

  it('any changed character makes it worthless', () => {
    const { alice, ask } = setting()
    const capability = alice.capability(named(1))
    for (let at = 0; at < capability.length; at += 7) {
      const character = capability[at] === 'A' ? 'B' : 'A'
      const changed = capability.slice(0, at) + character + capability.slice(at + 1)
      // The last character of base64url has spare bits: the bytes may be the same ones.
      if (
        Buffer.from(changed.split('.')[1] ?? '', 'base64url').equals(
          Buffer.from(capability.split('.')[1] ?? '', 'base64url'),
        ) &&
        changed.split('.')[0] === capability.split('.')[0]
      )
        continue
      assert.equal(ask(changed), 'capability', `character ${at}`)
    }
  })

  it('what a service sends without one is counted against the service alone', () => {
    const { core } = setting()
    assert.equal(refusedAs(core.answer('app', { op: 'open', items: packed([item(1)]) })), undefined)
    assert.equal(core.used('service app'), 1)
    assert.equal(core.used('served app'), 0)
  })
})

describe('canaries', () => {
  it('one touch freezes the actor on every holder, and opens nothing of the batch', () => {
    const holders = testHolders()
    const [one, two, three] = holders.cores as [HolderCore, HolderCore, HolderCore]
    for (const core of holders.cores) core.addCanary(encodeContext(context(66)))
    assert.equal(refusedAs(one.answer('app', { op: 'open', items: packed([item(1), item(66)]) })), 'frozen')
    for (const core of [one, two, three]) {
      assert.equal(refusedAs(core.answer('app', { op: 'open', items: packed([item(1)]) })), 'frozen')
      assert.deepEqual([...core.frozen.keys()], ['service app'])
    }
    assert.ok(holders.recorder.events.some(({ type }) => type === 'vault.frozen'))
  })

  it('freeze the person, not the service he came through, nor other people', () => {
    const holders = testHolders()
    const [core] = holders.cores as [HolderCore]
    core.addCanary(encodeContext(context(66)))
    const people = ['mallory', 'alice'].map(
      name => new TestPerson(name, holders.enroller, holders.clock),
    ) as [TestPerson, TestPerson]
    const ask = (person: TestPerson, row: number) =>
      refusedAs(
        core.answer('app', {
          op: 'open',
          items: packed([item(row)]),
          capability: person.capability(named(row)),
        }),
      )
    assert.equal(ask(people[0], 66), 'frozen')
    assert.equal(ask(people[0], 1), 'frozen')
    assert.equal(ask(people[1], 1), undefined)
    assert.equal(refusedAs(core.answer('app', { op: 'open', items: packed([item(1)]) })), undefined)
    core.thaw('person mallory')
    assert.equal(ask(people[0], 1), undefined)
  })

  it('stay frozen, and stay canaries, over a restart and in any version', () => {
    const holders = testHolders()
    const [option] = holders.options
    assert.ok(option !== undefined)
    new HolderCore(option).addCanary(encodeContext(context(66)))
    const later = new HolderCore(option)
    const touched = { ...item(66), context: { ...context(66), version: 7 } }
    assert.equal(refusedAs(later.answer('app', { op: 'open', items: packed([touched]) })), 'frozen')
    assert.equal(
      refusedAs(new HolderCore(option).answer('app', { op: 'open', items: packed([item(1)]) })),
      'frozen',
    )
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
