import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Event } from '@postern/core'
import { EventLog } from '../../runtime/src/events/event-log.ts'
import { type Config, postern } from '../src/index.ts'

/** The events of some requests, in order. */
async function eventsOf(config: Config, paths: readonly string[]): Promise<readonly Event[]> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-events-'))
  const layer = await postern({ folder, config })
  const events: Event[] = []
  layer.engine.listen(event => events.push(event))
  try {
    const handle = layer.fetch(() => new Response('ok'), { peer: () => '203.0.113.9' })
    for (const path of paths) await (await handle(new Request(`http://shop.example${path}`))).arrayBuffer()
    return events
  } finally {
    await layer.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

describe('each occurrence is reported once', { timeout: 60_000 }, () => {
  for (const time of [undefined, '1h'])
    test(`a honey hit takes one measure, held for ${time ?? 'a day'}`, async () => {
      const honey = time === undefined ? {} : { for: time }
      const events = await eventsOf({ routes: { '/backup.zip': { honey: true } }, honey }, ['/backup.zip'])
      const measures = events.filter(({ type }) => type === 'remediation.added')
      assert.equal(measures.length, 1)
      assert.equal(events.filter(({ type }) => type === 'finding').length, 1)
    })

  test('a refusal by a limit is one of the live lines', async () => {
    const events = await eventsOf({ limits: { address: '1/1h' } }, ['/', '/'])
    assert.ok(events.some(({ type }) => type === 'limit.refused'))
    const shown: string[] = []
    const log = new EventLog(
      event => shown.push(event.type),
      () => {},
    )
    for (const event of events) log.take(event, 'refusals')
    assert.deepEqual(shown, ['http'])
  })
})

test('attack: a flood of refusals does not hide that a store failed', t => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 })
  const shown: string[] = []
  const hidden: number[] = []
  const log = new EventLog(
    event => shown.push(event.type),
    count => hidden.push(count),
  )
  const refusal: Event = { type: 'http', time: 0, actor: {}, decision: 'deny' }
  for (let i = 0; i < 500; i++) log.take(refusal, 'refusals')
  log.take({ type: 'store.failed', time: 0, actor: {} }, 'refusals')
  assert.equal(shown.filter(type => type === 'http').length, 50)
  assert.equal(shown.at(-1), 'store.failed')
  log.flush()
  assert.deepEqual(hidden, [450])
})
