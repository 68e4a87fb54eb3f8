import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event, Health } from '@postern/core'
import { watchAudit } from '../src/audit-watch.ts'
import { eventSentence } from '../src/event-sentence.ts'

const FULL: Health = {
  name: 'audit',
  ok: false,
  required: true,
  detail:
    'audit log /data/audit/wal: could not write: the disk is full; free some space (ENOSPC); 3 events were lost',
}
const WELL: Health = { name: 'audit', ok: true, required: true }

test('an audit log that takes no entries is said once for each time that it stops', t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  let health = WELL
  const said: Event[] = []
  const end = watchAudit({ health: () => health }, event => void said.push(event), 10)
  t.after(end)
  const look = (next: Health): number => {
    health = next
    t.mock.timers.tick(10)
    return said.length
  }
  assert.equal(look(WELL), 0)
  assert.equal(look(FULL), 1)
  assert.equal(
    look({
      ...FULL,
      detail: 'could not write: the disk is full; free some space (ENOSPC); 4 events were lost',
    }),
    1,
  )
  assert.equal(look(WELL), 1)
  assert.equal(look(FULL), 2)
  assert.deepEqual(
    said.map(event => [event.type, eventSentence(event)]),
    [1, 2].map(() => [
      'store.failed',
      'audit log /data/audit/wal: could not write: the disk is full; free some space (ENOSPC); 3 events were lost. Entries that a request does not wait for are lost until it is well again',
    ]),
  )
  end()
  assert.equal(look(WELL), 2)
  assert.equal(look(FULL), 2)
})
