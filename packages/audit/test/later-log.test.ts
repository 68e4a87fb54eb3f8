import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Event, IntegrityError, StoreError, type Timers } from '@postern/core'
import type { AuditLog } from '../src/log/audit-log.ts'
import { LaterLog } from '../src/log/later-log.ts'

const AWAY = new StoreError('is not reachable', { store: 'postgres', retryable: true })

/** Timers that ring when the test says so. */
function bell(): Timers & { ring(): void; readonly isSet: boolean } {
  let waiting: (() => void) | undefined
  return {
    after: (_ms, call) => {
      waiting = call
      return () => {
        waiting = undefined
      }
    },
    ring: () => {
      const call = waiting
      waiting = undefined
      call?.()
    },
    get isSet() {
      return waiting !== undefined
    },
  }
}

function entry(type: string): Event {
  return { type, time: 1, actor: {} }
}

/** A log that keeps what it is given, as far as these tests look. */
function listLog(): { readonly log: AuditLog; readonly types: string[]; readonly counts: unknown[] } {
  const types: string[] = []
  const counts: unknown[] = []
  const unused = (): never => assert.fail('not part of this test')
  const log: AuditLog = {
    record: event => {
      types.push(event.type)
      if (event.type === 'audit.lost') counts.push(event.data?.['count'])
    },
    commit: async event => {
      types.push(event.type)
      return { index: 0n }
    },
    append: unused,
    around: async (_intent, act) => act(),
    proof: unused,
    query: unused,
    eraseSubject: unused,
    checkpoint: unused,
    counts: unused,
    health: () => ({ name: 'audit', ok: true, required: true }),
    close: async () => void types.push('closed'),
  }
  return { log, types, counts }
}

const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

describe('a log whose store is away at the start', () => {
  test('keeps what comes, as far as there is room, and says what was lost', async () => {
    const timers = bell()
    const { log, types, counts } = listLog()
    let attempts = 0
    const told: string[] = []
    const later = await LaterLog.start({
      open: async () => {
        attempts++
        if (attempts < 3) throw AWAY
        return log
      },
      maxWaiting: 2,
      timers,
      onAway: () => told.push('away'),
      onBack: () => told.push('back'),
    })
    for (const type of ['a', 'b', 'c']) later.record(entry(type))
    assert.deepEqual(later.counts(), { durable: 0, published: 0, waiting: 2, lost: 1, coalesced: 0 })
    assert.equal(later.health().ok, false)
    let hasRun = false
    const act = async (): Promise<void> => {
      hasRun = true
    }
    await assert.rejects(later.commit(entry('d')), AWAY)
    await assert.rejects(later.around(entry('e'), act), AWAY)
    assert.equal(hasRun, false)
    timers.ring()
    await settled()
    assert.deepEqual([attempts, told], [2, ['away']])
    timers.ring()
    await settled()
    assert.deepEqual([attempts, told, types, counts], [3, ['away', 'back'], ['a', 'b', 'audit.lost'], [1]])
    await later.commit(entry('f'))
    await later.around(entry('g'), act)
    assert.equal(hasRun, true)
    await later.close()
    assert.deepEqual(types.slice(3), ['f', 'closed'])
  })

  test('is not tried again once it cannot be trusted, and logs nothing', async () => {
    const timers = bell()
    const failures: Error[] = [AWAY, new IntegrityError('the database holds another log')]
    const later = await LaterLog.start<AuditLog>({
      open: async () => {
        throw failures.shift()
      },
      timers,
    })
    timers.ring()
    await settled()
    assert.equal(timers.isSet, false)
    await assert.rejects(later.commit(entry('a')), IntegrityError)
    assert.match(later.health().detail ?? '', /holds another log/)
    await later.close()
  })

  test('ends the start where waiting does not help', async () => {
    const wrong = new StoreError('refused the password', { store: 'postgres', retryable: false })
    const open = async (): Promise<AuditLog> => {
      throw wrong
    }
    await assert.rejects(LaterLog.start({ open, timers: bell() }), wrong)
  })

  test('is not opened any more once it was closed', async () => {
    const timers = bell()
    let attempts = 0
    const later = await LaterLog.start<AuditLog>({
      open: async () => {
        attempts++
        throw AWAY
      },
      timers,
    })
    await later.close()
    assert.equal(timers.isSet, false)
    assert.equal(attempts, 1)
  })
})
