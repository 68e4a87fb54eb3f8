import assert from 'node:assert/strict'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { IntegrityError } from '@postern/core'
import {
  openAuditLog,
  readAuditLog,
  rebuildIndex,
  removeEntriesBefore,
  verifyDirectory,
} from '../src/index.ts'
import { collect, freshDirectory, requestEvent } from './support/events.ts'

const origin = 'shop.example.com/audit'

async function written(entries: number): Promise<string> {
  const directory = freshDirectory()
  const log = await openAuditLog({ directory, origin })
  for (let i = 0; i < entries; i++) log.record(requestEvent(i))
  await log.close()
  return directory
}

/** What retention never writes: it removes whole bundles of 256, and keeps the newest full one. */
const FORGED: readonly (readonly [text: string, entries: number])[] = [
  ['999999999999999', 10],
  ['256', 10],
  ['10', 10],
  ['256', 300],
  ['512', 600],
  ['5\n{"":5}', 600],
  ['256\n{bad', 600],
  ['256\nnull', 600],
  ['256\n[1]', 600],
  ['256\n{"":"x"}', 600],
  ['256\n{"":-1}', 600],
  ['256\n{"":1e300}', 600],
]
for (const [text, entries] of FORGED)
  test(`attack: a log of ${entries} entries is said to begin at ${JSON.stringify(text)}`, async () => {
    const directory = await written(entries)
    writeFileSync(join(directory, 'minimum-index'), text)
    const bundles = readdirSync(join(directory, 'tile/entries'), { recursive: true })
    const report = await verifyDirectory(directory).catch((error: unknown) => error)
    if (!(report instanceof IntegrityError))
      assert.match((report as { problems: { message: string }[] }).problems[0]?.message ?? '', /retention/)
    const reader = readAuditLog(directory)
    await assert.rejects(collect(reader.entries(0n)), IntegrityError)
    await assert.rejects(removeEntriesBefore(reader, 0), IntegrityError)
    reader.close()
    assert.throws(() => rebuildIndex(directory), IntegrityError)
    assert.deepEqual(readdirSync(join(directory, 'tile/entries'), { recursive: true }), bundles)
    // Nothing of it is left in the index: the log goes on as soon as the file is put right.
    await openAuditLog({ directory, origin })
      .then(log => log.close())
      .catch(() => {})
    rmSync(join(directory, 'minimum-index'))
    const log = await openAuditLog({ directory, origin })
    await log.append(requestEvent(1))
    await log.close()
    assert.deepEqual(rebuildIndex(directory), { size: entries + 1, identical: true })
  })

test('attack: the whole content of a log is deleted, and said to have been removed by retention', async () => {
  const directory = await written(600)
  rmSync(join(directory, 'tile/entries'), { recursive: true })
  writeFileSync(join(directory, 'minimum-index'), '768')
  const isIntact = await verifyDirectory(directory).then(
    ({ ok }) => ok,
    (error: unknown) => !(error instanceof IntegrityError),
  )
  assert.equal(isIntact, false)
})
