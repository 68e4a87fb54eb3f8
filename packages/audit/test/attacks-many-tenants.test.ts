import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TenantNumbers } from '../src/embedded/tenant-numbers.ts'
import { disk } from '../src/files/file-layer.ts'
import { LogFiles } from '../src/files/log-files.ts'
import { openAuditLog, verifyDirectory } from '../src/index.ts'
import { freshDirectory, requestEvent } from './support/events.ts'

const origin = 'shop.example.com/audit'

function numbersInMemory(most: number): TenantNumbers {
  const log = new LogFiles(disk, freshDirectory())
  return new TenantNumbers({ log, origin, signers: [], verifiers: [], most }, 0)
}

describe('attack: somebody who may create tenants creates them without end', () => {
  it('a bounded number of them is held in memory, and each is numbered on', () => {
    const numbers = numbersInMemory(100)
    const names = Array.from({ length: 950 }, (_, i) => `tenant ${i}`)
    names.push('', '\0', 'a\0b', 'a', '\ud800', '\ud801', '__proto__')
    for (let round = 1; round <= 3; round++)
      for (let at = 0; at < names.length; at += 50) {
        const batch = names.slice(at, at + 50)
        numbers.next(batch[0] ?? '')
        numbers.abandon()
        for (const name of batch) assert.equal(numbers.next(name), 2 * round - 1, JSON.stringify(name))
        for (const name of batch) assert.equal(numbers.next(name), 2 * round, JSON.stringify(name))
        numbers.commit(0)
        assert.ok(numbers.inMemory <= 100, `${numbers.inMemory} in memory`)
      }
    numbers.close()
  })

  it('a log of more tenants than memory holds is numbered on after a restart', async () => {
    const directory = freshDirectory()
    const tenants = 20_100
    for (const [from, to] of [
      [0, tenants],
      [tenants - 200, tenants],
      [0, 200],
    ] as const) {
      const log = await openAuditLog({ directory, origin })
      for (let i = from; i < to; i++) {
        const event = requestEvent(i)
        const tagged = { ...event, actor: { ...event.actor, tenant: `tenant ${i}` } }
        if (i % 1_000 === 999 || i === to - 1) await log.commit(tagged)
        else log.record(tagged)
      }
      await log.close()
    }
    const report = await verifyDirectory(directory)
    assert.deepEqual([report.size, report.problems], [tenants + 400, []])
  })
})
