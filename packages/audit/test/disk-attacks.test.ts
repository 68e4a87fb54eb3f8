import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { StoreError } from '@postern/core'
import type { DurableFile, FileLayer } from '../src/files/file-layer.ts'
import { collect, requestEvent } from './support/events.ts'
import { MemoryKeys } from './support/memory-keys.ts'
import { openModelLog } from './support/model-log.ts'
import { PowerCutFiles, seeded } from './support/power-cut-files.ts'
import { systemError, withFaults } from './support/with-faults.ts'

interface Disk {
  /** No block is left for a new file; what lies inside an existing one is written. */
  isFull: boolean
  open: number
}

/** A disk that somebody fills: files that have their blocks go on, new ones get none. */
function filling(files: PowerCutFiles, state: Disk): FileLayer {
  return withFaults(files, {
    async openDurable(path): Promise<DurableFile> {
      const isNew = files.read(path) === undefined
      const file = await files.openDurable(path)
      state.open++
      return {
        write: async (bytes, position) => {
          if (isNew && state.isFull) throw systemError('ENOSPC')
          await file.write(bytes, position)
        },
        sync: () => file.sync(),
        close: async () => {
          state.open--
          await file.close()
        },
      }
    },
  })
}

const long = 'x'.repeat(2_500)

describe('somebody who fills the disk while a segment is full', () => {
  test('loses no entry that is acknowledged afterwards, now or on opening', async () => {
    const files = new PowerCutFiles(seeded(1))
    const keys = new MemoryKeys(seeded(2))
    const state: Disk = { isFull: false, open: 0 }
    const { log } = await openModelLog({ files: filling(files, state), keys, random: seeded(3) })
    const acknowledged = new Map<number, string>()
    const commit = async (number: number, query = ''): Promise<void> => {
      const event = requestEvent(number)
      const request = { ...event.request, id: `r${number}`, method: 'GET', host: 'h', path: '/', query }
      const { index } = await log.commit({ ...event, request })
      acknowledged.set(Number(index), request.id)
    }
    await commit(0, long)
    await log.settle()
    state.isFull = true
    await assert.rejects(commit(1, long), StoreError, 'it needs a new segment')
    // Shorter, it would still have room in the segment that is there.
    await commit(2).catch(() => undefined)
    state.isFull = false
    for (let number = 3; number < 9; number++) await commit(number, number % 2 === 0 ? long : '')
    await log.settle()
    const again = await openModelLog({ files: files.restart(), keys, random: seeded(4) })
    const ids = (await collect(again.reader.entries(0n))).map(({ event }) => event.request?.id)
    for (const [index, id] of acknowledged) assert.equal(ids[index], id)
    assert.ok(acknowledged.size >= 7)
  })

  test('does not use up the files that the process may open', async () => {
    const files = new PowerCutFiles(seeded(1))
    const state: Disk = { isFull: false, open: 0 }
    const { log } = await openModelLog({
      files: filling(files, state),
      keys: new MemoryKeys(seeded(2)),
      random: seeded(3),
    })
    await log.commit(requestEvent(0))
    state.isFull = true
    for (let number = 0; number < 30; number++)
      await log.commit(requestEvent(1, { data: { long: long + long } })).catch(() => undefined)
    assert.ok(state.open <= 2, `${state.open} files are open`)
  })
})
