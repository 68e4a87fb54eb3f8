import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { until } from '../../../test/until.ts'
import { holderShare } from '../src/holder/budgets.ts'
import { HolderCore } from '../src/holder/holder-core.ts'
import { HolderStore, MOST_UNSYNCED } from '../src/holder/holder-store.ts'
import { JournalSync, type SyncedFile } from '../src/holder/journal-sync.ts'
import { packed, testHolders } from './support/holders.ts'
import { item, refusedAs } from './support/requests.ts'

const BUDGET = 400
const PAGE = 10

/** A holder on a disk of which only what was synced is left when the power fails. */
class FailingDisk {
  readonly folder: string
  /** Syncs that have begun and may end: the disk takes as long as the test likes. */
  readonly begun: (() => void)[] = []
  readonly #options = testHolders({
    budgets: { person: 10_000, service: BUDGET, served: 10_000, table: 10_000, all: 10_000 },
  }).options[0]
  #store: HolderStore
  core: HolderCore
  #life = 0
  #copies = 0
  #synced: string

  constructor(test: TestContext) {
    this.folder = mkdtempSync(join(tmpdir(), 'vault-power-'))
    test.after(() => {
      this.#store.close()
      rmSync(this.folder, { recursive: true })
    })
    this.#store = this.#open()
    this.#synced = this.#copy()
    this.core = this.#start()
  }

  get #path(): string {
    return join(this.folder, `life-${this.#life}.db`)
  }

  #open(): HolderStore {
    const sync: SyncedFile['sync'] = () => {
      // What is written after a sync has begun need not be on the disk when it ends.
      const copy = this.#copy()
      return new Promise(resolve => {
        this.begun.push(() => {
          this.#synced = copy
          resolve()
        })
      })
    }
    return HolderStore.open(this.#path, { sync, close: () => {} })
  }

  #copy(): string {
    const copy = join(this.folder, `copy-${this.#copies++}.db`)
    for (const suffix of ['', '-wal']) copyFileSync(this.#path + suffix, copy + suffix)
    return copy
  }

  #start(): HolderCore {
    assert.ok(this.#options)
    return new HolderCore({ ...this.#options, journal: this.#store })
  }

  /** The power fails, and the holder starts again from what is on the disk. */
  fail(): void {
    this.#store.close()
    this.#life++
    for (const suffix of ['', '-wal']) copyFileSync(this.#synced + suffix, this.#path + suffix)
    this.begun.length = 0
    this.#store = this.#open()
    this.core = this.#start()
  }

  /**
   * Opens a page of records nobody opened before. True when its answer leaves, without waiting for the
   * disk.
   */
  answers(first: number): boolean {
    const rows = Array.from({ length: PAGE }, (_, i) => item(first + i))
    const answer = this.core.answer('app', { op: 'open', items: packed(rows) })
    return refusedAs(answer) === undefined && this.#store.settled() === undefined
  }

  settled(): Promise<void> | undefined {
    return this.#store.settled()
  }
}

describe('a power failure', () => {
  it('frees at most so many records of a budget as an answer may be ahead of the disk', test => {
    const disk = new FailingDisk(test)
    let row = 0
    let opened = 0
    for (; disk.answers(row); row += PAGE) opened += PAGE
    assert.equal(opened, MOST_UNSYNCED, 'the disk hangs, and no further answer leaves')
    disk.fail()
    for (row += PAGE; ; row += PAGE) {
      for (const end of disk.begun.splice(0)) end()
      const rows = Array.from({ length: PAGE }, (_, i) => item(row + i))
      if (refusedAs(disk.core.answer('app', { op: 'open', items: packed(rows) })) !== undefined) break
      opened += PAGE
    }
    assert.equal(opened, holderShare(BUDGET) + MOST_UNSYNCED)
  })

  it('takes nothing that a sync has reached', async test => {
    const disk = new FailingDisk(test)
    assert.ok(disk.answers(0))
    await until(() => disk.begun.length > 0)
    for (let page = 1; page < 5; page++) assert.ok(disk.answers(page * PAGE))
    // The first sync covers the first page; the second, which begins soon after, all the others.
    let ended = 0
    await until(() => {
      for (const end of disk.begun.splice(0)) {
        end()
        ended++
      }
      return ended === 2
    })
    disk.fail()
    assert.equal(disk.core.used('service app'), 5 * PAGE)
  })
})

/** Soon, or at once when more than two units wait. */
const PACE = { within: 1, units: 2 }

describe('an answer that waits for the disk', () => {
  it('waits for the sync that covers it, not for those of others that come later', async () => {
    const begun: (() => void)[] = []
    const sync = new JournalSync(
      { sync: () => new Promise(resolve => begun.push(resolve)), close: () => {} },
      PACE,
    )
    sync.written(1)
    await until(() => begun.length > 0)
    let isDone = false
    const waited = sync.synced().then(() => {
      isDone = true
    })
    for (let turn = 0; turn < 2; turn++) {
      assert.equal(isDone, false)
      begun.shift()?.()
      await new Promise(resolve => setImmediate(resolve))
      sync.written(1)
    }
    await waited
    assert.ok(sync.unsynced > 0)
  })

  it('does not wait for the sync of what it opened to begin', async () => {
    const begun: (() => void)[] = []
    const sync = new JournalSync(
      { sync: () => new Promise(resolve => begun.push(resolve)), close: () => {} },
      PACE,
    )
    sync.written(1)
    sync.written(1)
    assert.equal(begun.length, 0, 'an answer of this turn leaves first')
    assert.equal(sync.unsynced, 2, 'and yet it is counted')
    await until(() => begun.length > 0)
    assert.equal(sync.unsynced, 2)
    begun.shift()?.()
    await until(() => sync.unsynced === 0)
    assert.equal(begun.length, 0, 'one sync covers both')
  })

  it('has its sync at once when half of what may be lost waits for one', async () => {
    const begun: (() => void)[] = []
    const file = {
      sync: () => new Promise<void>(resolve => begun.push(resolve)),
      close: () => {},
    }
    const sync = new JournalSync(file, { within: 3_600_000, units: 2 })
    sync.written(2)
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(begun.length, 0, 'so little may wait an hour')
    sync.written(1)
    await until(() => begun.length === 1)
    sync.close()
    begun[0]?.()
  })

  it('leaves the file open until the sync under way has ended', async () => {
    const happened: string[] = []
    let end = (): void => {}
    const file = {
      sync: () =>
        new Promise<void>(resolve => {
          end = () => {
            happened.push('synced')
            resolve()
          }
        }),
      close: () => happened.push('closed'),
    }
    const sync = new JournalSync(file, PACE)
    sync.written(1)
    const synced = sync.synced()
    sync.close()
    end()
    await synced
    await until(() => happened.length === 2)
    assert.deepEqual(happened, ['synced', 'closed'])
    sync.written(1)
    assert.equal(sync.unsynced, 1, 'nothing begins any more')
  })

  it('is refused once the disk has failed, and so is everything after it', async () => {
    const sync = new JournalSync({ sync: () => Promise.reject(new Error('EIO')), close: () => {} }, PACE)
    sync.written(1)
    await assert.rejects(sync.synced(), { code: 'POSTERN_STORE' })
    assert.throws(() => sync.written(1), { code: 'POSTERN_STORE' })
    await assert.rejects(sync.synced(), { code: 'POSTERN_STORE' })
  })
})
