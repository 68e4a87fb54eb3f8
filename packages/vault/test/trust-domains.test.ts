import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { unlockTag } from '../src/holder/unlock.ts'
import { type KnownHolder, trustDomains } from '../src/setup/trust-domains.ts'
import { testHolders } from './support/holders.ts'

const holder = (number: number, change: Partial<KnownHolder> = {}): KnownHolder => ({
  address: { host: `10.0.${number}.1`, port: 9_470, fingerprint: `f${number}` },
  says: { administrator: `admin ${number}`, unlockedBy: `key ${number}` },
  ...change,
})
const at = (host: string): Pick<KnownHolder, 'address'> => ({
  address: { host, port: 1, fingerprint: 'f' },
})

describe('trust domains', () => {
  it('are three with a machine, a key and an administrator each', () => {
    assert.deepEqual(trustDomains({ 1: holder(1), 2: holder(2), 3: holder(3) }), { count: 3, reasons: [] })
  })

  const shared: readonly (readonly [string, KnownHolder, KnownHolder, RegExp])[] = [
    ['one machine', holder(1, at('a.example')), holder(2, at('A.example')), /1 and 2 are on one machine/],
    ['loopback under two names', holder(1, at('::1')), holder(2, at('127.0.0.9')), /one machine/],
    [
      'a unix socket and loopback',
      holder(1, { address: { unix: '/run/h1' } }),
      holder(2, at('localhost')),
      /one machine/,
    ],
    [
      'one key file',
      holder(1),
      holder(2, { says: { administrator: 'other', unlockedBy: 'key 1' } }),
      /unlocked by one key/,
    ],
    [
      'one administrator, written differently',
      holder(1, { says: { administrator: 'Anne ' } }),
      holder(2, { says: { administrator: 'anne' } }),
      /one administrator/,
    ],
    ['no administrator named', holder(1, { says: {} }), holder(2), /name no two administrators/],
    ['one that does not answer', holder(1, { says: undefined }), holder(2), /does not answer/],
  ]
  for (const [name, one, two, reason] of shared)
    it(`are two with ${name}`, () => {
      const { count, reasons } = trustDomains({ 1: one, 2: two, 3: holder(3) })
      // What one holder does not say makes it fall together with the third as well.
      assert.equal(count, /named|answer/.test(name) ? 1 : 2)
      assert.match(reasons.join('\n'), reason)
    })

  it('are one where each pair shares something else', () => {
    const three = holder(3, { says: { administrator: 'admin 3', unlockedBy: 'key 2' } })
    assert.equal(trustDomains({ 1: holder(1, at('x')), 2: holder(2, at('x')), 3: three }).count, 1)
  })

  it('a holder tells services its administrator, and which key unlocks it only as a digest', () => {
    const folder = mkdtempSync(join(tmpdir(), 'trust-domains-'))
    const path = join(folder, 'key')
    const key = Buffer.alloc(32, 7).toString('base64url')
    writeFileSync(path, key, { mode: 0o600 })
    const tag = unlockTag({ kind: 'file', path })
    rmSync(folder, { recursive: true })
    assert.match(tag ?? '', /^[\w-]{22}$/)
    assert.ok(!key.includes(tag ?? key))
    assert.equal(unlockTag({ kind: 'passphrase', passphrase: 'correct horse' }), undefined)
    const [core] = testHolders().cores
    assert.deepEqual(core?.answer('app', { op: 'ping' }), { pong: true, epoch: 0 })
    assert.deepEqual(core?.answer('stranger', { op: 'ping' }), { refused: 'forbidden' })
  })
})
