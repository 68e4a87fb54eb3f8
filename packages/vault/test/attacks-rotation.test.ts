import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import { systemClock, systemRandom } from '@postern/core'
import { placeOf } from '../src/holder/batch-inputs.ts'
import type { HolderCore } from '../src/holder/holder-core.ts'
import { HolderKeys } from '../src/holder/holder-keys.ts'
import { HolderStore } from '../src/holder/holder-store.ts'
import { restoreHolder } from '../src/holder/restore-holder.ts'
import { holderIdentity } from '../src/holder/start-holder.ts'
import { changeUnlock, type Unlock, unlockKey } from '../src/holder/unlock.ts'
import { vaultTransit } from '../src/kms/vault-transit.ts'
import { wrapKey } from '../src/primitive/key-wrap.ts'
import { encodeContext } from '../src/record/record-context.ts'
import type { HolderLink } from '../src/split/holder-link.ts'
import { PARTS_OF } from '../src/split/part.ts'
import { SplitKeys } from '../src/split/split-keys.ts'
import { dealt, packed, type TestHolders, TestPerson, testHolders } from './support/holders.ts'
import { context, item, named, refusedAs } from './support/requests.ts'

const HOUR = 3_600_000
const folder = mkdtempSync(join(tmpdir(), 'vault-rotation-'))
after(() => rmSync(folder, { recursive: true }))
let sequence = 0
const fresh = (): string => join(folder, `holder-${sequence++}.db`)

/** Every holder, or these, begin an epoch. */
function begin(holders: TestHolders, epoch: number, ids: readonly number[] = [1, 2, 3]): void {
  const secrets = dealt(epoch)
  for (const { keys } of holders.options)
    if (ids.includes(keys.id)) for (const part of PARTS_OF[keys.id]) keys.add(epoch, part, secrets[part])
}

/** A client to whom one holder reports another epoch than it has. */
function misled(holders: TestHolders, liar: number, epoch: unknown, nonces?: unknown): SplitKeys {
  const links = holders.client('app').links.map(
    (link): HolderLink => ({
      id: link.id,
      isUp: true,
      close: () => {},
      async request(body, timeout) {
        const answer = (await link.request(body, timeout)) as object
        return link.id === liar && 'nonces' in answer
          ? { ...answer, epoch, ...(nonces !== undefined && { nonces }) }
          : answer
      },
    }),
  )
  return new SplitKeys({ links, hedgeAfter: 5, timeout: 200, thirdWait: 20 })
}

describe('a dishonest holder that reports another epoch', () => {
  for (const [name, epoch] of [
    ['the one that was rotated out', 0],
    ['none at all', -1],
    ['one that nobody has', 200],
    ['something that is not an epoch', '0'],
    ['half of one', 0.5],
  ] as const)
    it(`${name}: new records are of the epoch that the other two have`, async () => {
      const holders = testHolders()
      begin(holders, 1)
      for (const liar of [1, 2, 3]) {
        const keys = misled(holders, liar, epoch)
        const [sealed] = await keys.seal([context(liar)])
        assert.equal(sealed?.epoch, 1)
        assert.equal(keys.epoch, 1, 'so a rewrap moves what is older than that, and nothing again and again')
      }
    })

  it('while another is down: an hour after the rotation no honest holder seals in the old epoch', async () => {
    const holders = testHolders()
    const keys = misled(holders, 1, 0)
    await keys.prepare()
    begin(holders, 1)
    const [, two] = holders.cores
    const request = async () => {
      const nonce = two?.answer('app', { op: 'nonces', count: 1 }) as { readonly nonces: readonly string[] }
      const contributions = [
        { holder: 1, nonce: Buffer.alloc(16).toString('base64url') },
        { holder: 2, nonce: nonce.nonces[0] },
      ]
      return two?.answer('app', { op: 'seal', epoch: 0, items: [{ context: context(1), contributions }] })
    }
    assert.ok('parts' in ((await request()) ?? {}), 'while the epoch begins')
    holders.clock.advance(HOUR)
    assert.deepEqual(await request(), { refused: 'epoch', current: 1 })
  })

  it('and hands out malformed contributions: the other two seal', async () => {
    const holders = testHolders()
    for (const nonces of ['x', [1, 2], [{}], Array.from({ length: 600 }, () => 'A'.repeat(21))]) {
      const [sealed] = await misled(holders, 2, 0, nonces).seal([context(1)])
      assert.equal(sealed?.epoch, 0)
    }
  })
})

describe('a key that was reserved before a rotation', () => {
  it('is not used after it: once the epoch is removed, nobody would open the record', async () => {
    const holders = testHolders()
    await holders.keys.reserve([context(1), context(2)])
    begin(holders, 1)
    await holders.keys.seal(Array.from({ length: 600 }, (_, row) => context(`other-${row}`)))
    assert.equal(holders.keys.epoch, 1)
    assert.equal((await holders.keys.seal([context(1)]))[0]?.epoch, 1)
  })
})

describe('an epoch that was removed', () => {
  it('does not come back through a peer that still has its parts, nor over a restart', () => {
    const path = fresh()
    const kek = systemRandom.bytes(32)
    const key = systemRandom.bytes(32)
    const store = HolderStore.open(path)
    for (const part of PARTS_OF[1]) store.addPart(0, part, key, kek)
    assert.deepEqual(store.keys(1, kek).epochs, [0])
    store.removeEpoch(0)
    store.addPart(0, 'b', key, kek)
    store.close()
    const again = HolderStore.open(path)
    const keys = again.keys(1, kek)
    assert.deepEqual([keys.epochs, keys.isRemoved(0), keys.isRemoved(1)], [[], true, false])
    assert.throws(() => keys.add(0, 'c', key), { code: 'POSTERN_INTEGRITY' })
    again.close()
  })

  it('is gone from the file, as is what an earlier passphrase wrapped', async () => {
    const path = fresh()
    const store = HolderStore.open(path)
    const before: Unlock = { kind: 'passphrase', passphrase: 'correct horse' }
    const old = await unlockKey(store, before, systemRandom)
    const [removed, kept] = [systemRandom.bytes(32), systemRandom.bytes(32)]
    store.addPart(0, 'b', removed, old)
    store.addPart(1, 'b', kept, old)
    const files = () =>
      [path, `${path}-wal`]
        .filter(file => existsSync(file))
        .map(file => readFileSync(file).toString('latin1'))
    const holds = (secret: Uint8Array): boolean =>
      files().some(text => text.includes(wrapKey(old, secret).toString('latin1')))
    assert.deepEqual([holds(removed), holds(kept)], [true, true])
    store.removeEpoch(0)
    assert.deepEqual([holds(removed), holds(kept)], [false, true])
    await changeUnlock(store, before, { kind: 'passphrase', passphrase: 'battery staple' }, systemRandom)
    assert.equal(holds(kept), false)
    store.close()
  })
})

describe('a holder whose unlocking was changed', () => {
  it('keeps its identity: it starts, and others know it by the same fingerprint', async () => {
    const store = HolderStore.open(fresh())
    const before: Unlock = { kind: 'passphrase', passphrase: 'correct horse' }
    const to: Unlock = { kind: 'passphrase', passphrase: 'battery staple' }
    const options = { clock: systemClock, random: systemRandom }
    const first = holderIdentity(store, 1, await unlockKey(store, before, systemRandom), options)
    await changeUnlock(store, before, to, systemRandom)
    const second = holderIdentity(store, 1, await unlockKey(store, to, systemRandom), options)
    assert.equal(second.fingerprint, first.fingerprint)
    store.close()
  })
})

describe('a holder that was restored', () => {
  it('has a file that is private, whatever the mode of the backup', () => {
    const [backup, data] = [fresh(), fresh()]
    const store = HolderStore.open(backup)
    store.setSettings({ id: Uint8Array.of(1) })
    store.close()
    chmodSync(backup, 0o644)
    restoreHolder(backup, data, 1)
    assert.equal(statSync(data).mode & 0o777, 0o600)
  })

  it('stays closed for as long as a capability lives, however short its window: it has forgotten which were used', () => {
    const store = HolderStore.open(fresh())
    store.markAsCopy()
    assert.equal(store.closedUntil(1_000, 60_000), 301_000)
    store.close()
  })
})

describe('a service that was frozen', () => {
  const setting = () => {
    const holders = testHolders()
    const [core] = holders.cores as [HolderCore]
    core.freeze('service app', 'operator')
    return { holders, core }
  }

  it('opens nothing with capabilities either: whoever has it may have made them up', () => {
    const { holders, core } = setting()
    const anne = new TestPerson('anne', holders.enroller, holders.clock)
    const ask = (service: string) => {
      const capability = anne.capability(named(1), { service })
      return refusedAs(core.answer(service, { op: 'open', items: packed([item(1)]), capability }))
    }
    assert.equal(ask('app'), 'frozen')
    core.thaw('service app')
    assert.equal(ask('app'), undefined)
  })

  it('guesses no passwords', () => {
    const { core } = setting()
    const blinded = Buffer.from('e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76', 'hex')
    const request = { op: 'harden', user: 'anne', epoch: 0, blinded: blinded.toString('base64url') }
    assert.equal(refusedAs(core.answer('app', request)), 'frozen')
    core.thaw('service app')
    assert.equal(refusedAs(core.answer('app', request)), undefined)
  })
})

describe('a key service', () => {
  const transit = (address: string, answer: (url: string) => object, asked: string[] = []) =>
    vaultTransit({
      address,
      key: 'holder-1',
      token: () => 's3cret',
      fetch: async url => {
        asked.push(url)
        return Response.json({ data: answer(url) })
      },
    })

  it('is not asked without TLS: the key and the token would be read on the way', async () => {
    const asked: string[] = []
    for (const address of ['http://vault.internal:8200', 'http://127.0.0.1.example.com', 'http://10.0.0.7'])
      await assert.rejects(transit(address, () => ({}), asked).wrap(new Uint8Array(32)), {
        code: 'POSTERN_CONFIG',
      })
    assert.deepEqual(asked, [])
    const local = transit('http://127.0.0.1:8200', () => ({ ciphertext: 'vault:v1:x' }), asked)
    assert.equal(Buffer.from(await local.wrap(new Uint8Array(32))).toString(), 'vault:v1:x')
  })

  it('that wraps under a key it does not unwrap with is found out before any part is kept', async () => {
    const other = Buffer.alloc(32, 7).toString('base64')
    const service = transit('https://vault:8200', url =>
      url.includes('/encrypt/') ? { ciphertext: 'vault:v1:x' } : { plaintext: other },
    )
    const store = HolderStore.open(fresh())
    await assert.rejects(unlockKey(store, { kind: 'service', service }, systemRandom), {
      code: 'POSTERN_INTEGRITY',
    })
    assert.equal(store.setting('unlock'), undefined)
    store.close()
  })
})

describe('a holder that lies about when a budget is free', () => {
  it('makes the caller wait for a bounded time', async () => {
    for (const retryAt of [Number.MAX_VALUE, null, 'tomorrow']) {
      const links = ([1, 2, 3] as const).map(
        (id): HolderLink => ({
          id,
          isUp: true,
          close: () => {},
          request: async () => ({
            refused: 'budget',
            budget: 'x'.repeat(10_000),
            allowed: 'y',
            asked: 1,
            retryAt,
          }),
        }),
      )
      const keys = new SplitKeys({ links, hedgeAfter: 5, timeout: 200, thirdWait: 20 })
      await assert.rejects(
        keys.terms({
          tenant: '',
          table: 't',
          column: 'c',
          epoch: 0,
          digests: [new Uint8Array(32)],
          purpose: 'search',
        }),
        (error: Error & { readonly retryAt?: number }) =>
          Number.isFinite(error.retryAt) && error.message.length < 1_000,
      )
    }
  })
})

describe('the keys of a holder', () => {
  it('refuse a part of another holder, and a second key under one name', () => {
    const keys = new HolderKeys(1)
    keys.add(0, 'b', new Uint8Array(32))
    assert.throws(() => keys.add(0, 'a', new Uint8Array(32)), { code: 'POSTERN_INTEGRITY' })
    assert.throws(() => keys.add(0, 'b', new Uint8Array(32).fill(1)), { code: 'POSTERN_INTEGRITY' })
  })
})

describe('who copies the file of a holder and has the database', () => {
  const filesOf = (path: string): string =>
    [path, `${path}-wal`]
      .filter(file => existsSync(file))
      .map(file => readFileSync(file).toString('latin1'))
      .join()
  const place = placeOf(encodeContext(context(66)))
  const canariesOf = (path: string, kek: Uint8Array): readonly string[] => {
    const store = HolderStore.open(path)
    store.keys(1, kek)
    const known = [...store.canaries()]
    store.close()
    return known
  }

  it('does not learn which rows are canaries', () => {
    const path = fresh()
    const kek = systemRandom.bytes(32)
    const store = HolderStore.open(path)
    store.keys(1, kek)
    store.addCanary(place)
    store.addCanary(place)
    assert.ok(!filesOf(path).includes(place))
    store.close()
    assert.ok(!filesOf(path).includes(place))
    assert.deepEqual(canariesOf(path, kek), [place])
  })

  it('nor from a file of an earlier release, once it was unlocked, nor from one unlocked in another way since', async () => {
    const path = fresh()
    const before: Unlock = { kind: 'passphrase', passphrase: 'correct horse' }
    const store = HolderStore.open(path)
    const old = await unlockKey(store, before, systemRandom)
    store.close()
    const database = new DatabaseSync(path)
    database.prepare('INSERT INTO canary VALUES (?)').run(place)
    database.close()
    assert.ok(filesOf(path).includes(place))
    assert.deepEqual(canariesOf(path, old), [place])
    assert.ok(!filesOf(path).includes(place))
    const again = HolderStore.open(path)
    const after: Unlock = { kind: 'passphrase', passphrase: 'battery staple' }
    await changeUnlock(again, before, after, systemRandom)
    const key = await unlockKey(again, after, systemRandom)
    again.close()
    assert.deepEqual(canariesOf(path, key), [place])
    assert.throws(() => canariesOf(path, old), { code: 'POSTERN_INTEGRITY' })
  })
})
