import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Event } from '@postern/core'
import { until } from '../../../test/until.ts'
import { LaterRecorder } from '../src/holder/later-recorder.ts'
import { EventList } from './support/holders.ts'

const event = (type: string, time = 0): Event => ({ type, time, actor: {} })
const typesOf = ({ events }: EventList): readonly string[] => events.map(({ type }) => type)

describe('events of a holder', () => {
  it('are recorded soon after the answer, by themselves', async () => {
    const list = new EventList()
    const recorder = new LaterRecorder(list)
    recorder.record(event('vault.opened'))
    assert.deepEqual(typesOf(list), [], 'the answer leaves first')
    await until(() => list.events.length === 1)
  })

  it('keep their order: a freeze is recorded at once, and what waited before it', () => {
    const list = new EventList()
    const recorder = new LaterRecorder(list)
    for (const type of ['vault.opened', 'vault.searched', 'vault.frozen', 'vault.opened'])
      recorder.record(event(type))
    assert.deepEqual(typesOf(list), ['vault.opened', 'vault.searched', 'vault.frozen'])
    recorder.flush()
    assert.equal(list.events.length, 4)
  })

  it('wait in a bounded number', () => {
    const list = new EventList()
    const recorder = new LaterRecorder(list)
    for (let i = 0; i < 1_000; i++) recorder.record(event('vault.opened', i))
    assert.ok(list.events.length > 1_000 - 64)
    recorder.flush()
    assert.deepEqual(
      list.events.map(({ time }) => time),
      Array.from({ length: 1_000 }, (_, i) => i),
    )
  })

  it('are recorded before one that is committed', async () => {
    const list = new EventList()
    const recorder = new LaterRecorder(list)
    recorder.record(event('vault.opened'))
    await recorder.commit(event('vault.part.taken'))
    assert.deepEqual(typesOf(list), ['vault.opened', 'vault.part.taken'])
  })
})
