import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { type Exposure, measureExposure, type StolenValue } from '../src/exposure/exposure.ts'
import { holderShare } from '../src/holder/budgets.ts'
import { generateSigningKey, seedOf } from '../src/primitive/ed25519.ts'
import { signCapability } from '../src/split/capability.ts'
import { signIdentity } from '../src/split/identity-statement.ts'
import { type TestHolders, TestPerson, testHolders } from './support/holders.ts'
import { named } from './support/requests.ts'
import { place, sealed } from './support/split-records.ts'

/** B of the service without people, of all people it serves, and of one person. */
const SERVICE = 12
const SERVED = 20
const PERSON = 4
const RECORDS = 60
/** What three holders that count for themselves let through of these budgets, two of them a record. */
const bound = (...budgets: number[]): number =>
  Math.floor((3 * budgets.map(holderShare).reduce((sum, share) => sum + share)) / 2)

describe('a thief in front of running holders, none of them stolen', () => {
  let disk: string
  let holders: TestHolders
  let values: readonly StolenValue[]
  beforeEach(async () => {
    disk = mkdtempSync(join(tmpdir(), 'exposure-live-'))
    holders = testHolders({
      budgets: { service: SERVICE, served: SERVED, person: PERSON, table: 1_000, all: 1_000 },
    })
    const rows = Array.from({ length: RECORDS }, (_, row) => row)
    const records = await sealed(holders.keys, rows)
    values = rows.map((row, index) => ({
      context: place(row),
      value: records[index]?.record.bytes ?? new Uint8Array(0),
    }))
  })
  afterEach(() => rmSync(disk, { recursive: true }))
  const measure = (): Promise<Exposure> =>
    measureExposure({
      values,
      folders: [disk],
      environment: {},
      holders: holders.links,
      now: () => holders.clock.now(),
    })
  const keep = (name: string, text: string): void => writeFileSync(join(disk, name), text)

  it('uses all three in turn, and gets 1.125 B of the service', async () => {
    const { opened: count, ways } = await measure()
    assert.equal(count, bound(SERVICE))
    assert.deepEqual(ways, { 'live holders': bound(SERVICE) })
  })

  it('invents people with the key of the enroller: 1.125 B of the service and of all that it serves, together', async () => {
    keep('enroller', seedOf(holders.enroller).toString('base64url'))
    const { opened, ways } = await measure()
    assert.equal(ways['live holders'], bound(SERVICE))
    assert.equal(opened, bound(SERVICE, SERVED))
  })

  it('signs with the key of a session that is in memory: what one person may open, and no more', async () => {
    const session = generateSigningKey()
    const identity = signIdentity(holders.enroller, {
      actor: 'alice',
      key: session.publicKey.toString('base64url'),
      notAfter: holders.clock.now() + 3_600_000,
    })
    keep('session', `${seedOf(session).toString('base64url')}\n${identity}`)
    assert.equal((await measure()).opened, bound(SERVICE, PERSON))
  })

  it('presents capabilities that were captured: what they name, once', async () => {
    const alice = new TestPerson('alice', holders.enroller, holders.clock)
    keep('log', `Postern-Capability: ${alice.capability(named(50, 51))}\nGET /customers/50`)
    assert.equal((await measure()).ways['captured capabilities'], 2)
    // The same again, an hour later.
    holders.clock.advance(3_600_001)
    const { ways } = await measure()
    assert.deepEqual(ways, { 'live holders': bound(SERVICE) })
  })

  it('gets nothing out of keys that are of no enroller and no person', async () => {
    const other = generateSigningKey()
    const identity = signIdentity(other, {
      actor: 'alice',
      key: other.publicKey.toString('base64url'),
      notAfter: holders.clock.now() + 3_600_000,
    })
    const now = holders.clock.now()
    const forged = signCapability(other, {
      action: 'open',
      service: 'app',
      records: named(1, 2, 3),
      issuedAt: now,
      expiresAt: now + 60_000,
      nonce: Buffer.alloc(16).toString('base64url'),
      identity,
    })
    keep('loot', [seedOf(other).toString('base64url'), identity, forged].join('\n'))
    const { ways } = await measure()
    assert.deepEqual(ways, { 'live holders': bound(SERVICE) })
  })
})
