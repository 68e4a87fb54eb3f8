import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VirtualClock } from '@postern/core'
import { HolderCore } from '../src/holder/holder-core.ts'
import { generateSigningKey } from '../src/primitive/ed25519.ts'
import { encodeContext } from '../src/record/record-context.ts'
import { packed, TestPerson, testHolders } from './support/holders.ts'
import { context, item, named, refusedAs } from './support/requests.ts'

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
    ['is not JSON', () => 'e30x.e30'],
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
