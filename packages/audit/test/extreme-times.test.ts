import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import type { Event } from '@postern/core'
import type { Entry } from '../src/entry/entry.ts'
import { eventProblem } from '../src/entry/event-shape.ts'
import { SyslogSink } from '../src/index.ts'
import { requestEvent } from './support/events.ts'

const EXTREME = [9e15, -9e15, 1e300, -1e300, Number.MAX_VALUE]

test('attack: an event whose time no date can hold is refused, for its entry would end every list', () => {
  for (const time of EXTREME)
    assert.match(eventProblem({ ...requestEvent(1), time }) ?? '', /event\.time/, String(time))
  for (const time of [8.64e15, -8.64e15, 0, -1, 1.5])
    assert.equal(eventProblem({ ...requestEvent(1), time }), undefined, String(time))
})

test('attack: an entry of an earlier version with such a time does not stop what is shipped', async t => {
  let taken = ''
  const server = createServer(socket => socket.on('data', chunk => (taken += chunk.toString()))).listen(
    0,
    '127.0.0.1',
  )
  t.after(() => void server.close())
  await once(server, 'listening')
  const sink = new SyslogSink({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })
  t.after(() => sink.close())
  const entryAt = (time: number, index: bigint): Entry => {
    const event: Event = { ...requestEvent(1), time }
    return { index, tenant: '', number: 1, event, personal: 'open', leafHash: '', bytes: new Uint8Array() }
  }
  const entries = EXTREME.map((time, i) => entryAt(time, BigInt(i)))
  assert.equal(await sink.send(entries, AbortSignal.timeout(5_000)), 'taken')
})
