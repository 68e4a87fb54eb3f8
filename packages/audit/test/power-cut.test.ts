import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { StoreError } from '@postern/core'
import { until } from '../../../test/until.ts'
import type { DurableFile, FileLayer } from '../src/files/file-layer.ts'
import { verifyLog } from '../src/verifier.ts'
import { collect, requestEvent } from './support/events.ts'
import { MemoryKeys } from './support/memory-keys.ts'
import { modelVerifierKey, openModelLog } from './support/model-log.ts'
import { PowerCutFiles, seeded } from './support/power-cut-files.ts'
import { powerCutLife } from './support/power-cut-suite.ts'
import { systemError, withFaults } from './support/with-faults.ts'

describe('a power cut', () => {
  test('loses no acknowledged event, gives no index out twice, contradicts no checkpoint', async () => {
    const seeds = Number(process.env['POSTERN_POWER_CUT_SEEDS'] ?? 12)
    let acknowledged = 0
    for (let seed = 1; seed <= seeds; seed++) acknowledged += (await powerCutLife(seed, 8)).acknowledged
    assert.ok(acknowledged > seeds * 10)
  })

  test('would be the end of a log that does not sync: the model finds it out', async () => {
    const careless = (files: PowerCutFiles): FileLayer =>
      withFaults(files, {
        async openDurable(path) {
          const file = await files.openDurable(path)
          return { ...file, sync: async () => {} }
        },
      })
    await assert.rejects(async () => {
      for (let seed = 1; seed <= 20; seed++) await powerCutLife(seed, 8, careless)
    })
  })
})

describe('a disk that fails', () => {
  const fault = { full: false, hung: false, unsound: false }

  function failing(files: PowerCutFiles): FileLayer {
    return withFaults(files, {
      async openDurable(path): Promise<DurableFile> {
        const file = await files.openDurable(path)
        return {
          write: async (bytes, position) => {
            if (!fault.full) return await file.write(bytes, position)
            await file.write(bytes.subarray(0, bytes.length >> 1), position)
            throw systemError('ENOSPC')
          },
          sync: () => {
            if (fault.hung) return new Promise<never>(() => {})
            return fault.unsound ? Promise.reject(systemError('EIO')) : file.sync()
          },
          close: () => file.close(),
        }
      },
      write(path, bytes) {
        if (fault.full) throw systemError('ENOSPC')
        files.write(path, bytes)
      },
    })
  }

  test('because it is full refuses commits, counts what is lost, and goes on when there is room', async () => {
    Object.assign(fault, { full: false, hung: false, unsound: false })
    const files = new PowerCutFiles(seeded(1))
    const { log, reader } = await openModelLog({
      files: failing(files),
      keys: new MemoryKeys(seeded(2)),
      random: seeded(3),
    })
    assert.equal((await log.commit(requestEvent(0))).index, 0n)
    fault.full = true
    log.record(requestEvent(1))
    await assert.rejects(
      log.commit(requestEvent(2)),
      (error: unknown) => error instanceof StoreError && error.retryable,
    )
    await assert.rejects(log.settle(), StoreError)
    assert.match(
      log.health().detail ?? '',
      /could not write: the disk is full; free some space \(ENOSPC\).*publishing fails.*1 events were lost/,
    )
    assert.equal(log.health().ok, false)
    fault.full = false
    assert.equal((await log.commit(requestEvent(3))).index, 1n)
    assert.equal(log.health().ok, true)
    await log.commit(requestEvent(4))
    await log.settle()
    const types = (await collect(reader.entries(0n))).map(
      ({ event }) => `${event.type} ${event.resource?.id ?? event.data?.['count']}`,
    )
    assert.deepEqual(types, ['http 0', 'http 3', 'audit.lost 1', 'http 4'])
    await log.close()
    const report = await verifyLog({
      read: async path => files.read(`/log/${path}`),
      verifierKeys: [modelVerifierKey],
    })
    assert.deepEqual(report.problems, [])
  })

  test('because it is full is tried again without anybody asking', async () => {
    Object.assign(fault, { full: false, hung: false, unsound: false })
    const files = new PowerCutFiles(seeded(1))
    const { log, reader } = await openModelLog({
      files: failing(files),
      keys: new MemoryKeys(seeded(2)),
      random: seeded(3),
    })
    fault.full = true
    await assert.rejects(log.commit(requestEvent(0)), StoreError)
    assert.equal(log.health().ok, false)
    fault.full = false
    await until(() => log.health().ok)
    await log.settle()
    assert.deepEqual(
      (await collect(reader.entries(0n))).map(({ event }) => event.type),
      ['audit.resumed'],
    )
    await log.close()
  })

  test('at a sync is trusted with nothing more', async () => {
    Object.assign(fault, { full: false, hung: false, unsound: false })
    const { log } = await openModelLog({
      files: failing(new PowerCutFiles(seeded(1))),
      keys: new MemoryKeys(seeded(2)),
      random: seeded(3),
    })
    fault.unsound = true
    await assert.rejects(
      log.commit(requestEvent(1)),
      (error: unknown) => error instanceof StoreError && !error.retryable,
    )
    fault.unsound = false
    await assert.rejects(log.commit(requestEvent(2)), StoreError)
    assert.equal(log.health().ok, false)
    await log.close()
  })

  test('by hanging holds up nobody who did not ask to wait, and says so', async () => {
    Object.assign(fault, { full: false, hung: false, unsound: false })
    const { log } = await openModelLog({
      files: failing(new PowerCutFiles(seeded(1))),
      keys: new MemoryKeys(seeded(2)),
      random: seeded(3),
      limits: { commitTimeout: 20, maxWaiting: 100 },
    })
    fault.hung = true
    for (let i = 0; i < 500; i++) log.record(requestEvent(i))
    await assert.rejects(log.commit(requestEvent(1_000)), /does not answer/)
    await assert.rejects(log.commit(requestEvent(1_001)), /does not answer/)
    assert.deepEqual([log.health().ok, log.health().required], [false, true])
    assert.ok(log.counts().lost >= 300)
  })

  test('because it may only be read refuses to open', async () => {
    const readOnly = withFaults(new PowerCutFiles(seeded(1)), {
      write: () => {
        throw systemError('EROFS')
      },
    })
    await assert.rejects(
      openModelLog({ files: readOnly, keys: new MemoryKeys(seeded(2)), random: seeded(3) }),
      /EROFS/,
    )
  })
})
