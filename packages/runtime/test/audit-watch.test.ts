import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event, Health } from '@postern/core'
import { watchAudit } from '../src/audit/audit-watch.ts'
import { eventSentence } from '../src/events/event-sentence.ts'

const FULL: Health = {
  name: 'audit',
  ok: false,
  required: true,
  detail:
    'audit log /data/audit/wal: could not write: the disk is full; free some space (ENOSPC); 3 events were lost',
}
const WELL: Health = { name: 'audit', ok: true, required: true }

test('an audit log that takes no entries is said once for each time that it stops, and once that it takes some again', t => {
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
  assert.equal(look(WELL), 2)
  assert.equal(look(WELL), 2)
  assert.equal(look({ ...FULL, detail: 'postgres is not reachable; is it running?' }), 3)
  const until =
    'Until it is well again, requests that must be logged first get 503, and other entries may be lost'
  assert.deepEqual(
    said.map(event => [event.type, eventSentence(event)]),
    [
      [
        'store.failed',
        `audit log /data/audit/wal: could not write: the disk is full; free some space (ENOSPC); 3 events were lost. ${until}`,
      ],
      ['store.back', 'audit works again, after 0 s'],
      ['store.failed', `postgres is not reachable; is it running? ${until}`],
    ],
  )
  end()
  assert.equal(look(WELL), 3)
  assert.equal(look(FULL), 3)
})
