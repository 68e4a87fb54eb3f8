import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { isRemovalRecorded, openAuditLog, readAuditLog, removeEntriesBefore } from '@postern/audit'
import { openDataDirectory } from '@postern/store'
import { inProcess } from './in-process.ts'

const origin = 'shop.example.com/audit'
const folders: string[] = []
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A log of 600 entries in the data directory of a project. */
async function project(): Promise<{ readonly folder: string; readonly directory: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-audit-verify-'))
  folders.push(folder)
  writeFileSync(join(folder, 'postern.config.json'), '{}')
  const directory = join(folder, '.postern', 'audit')
  openDataDirectory(join(folder, '.postern')).close()
  const log = await openAuditLog({ directory, origin })
  for (let i = 0; i < 600; i++) log.record({ type: 'http', time: i, actor: {} })
  await log.close()
  return { folder, directory }
}

async function isRecorded(directory: string): Promise<boolean> {
  const reader = readAuditLog(directory)
  try {
    return await isRemovalRecorded(reader)
  } finally {
    reader.close()
  }
}

for (const withIndex of [true, false])
  test(`attack: the oldest entries are deleted and the mark of retention moved, ${withIndex ? 'beside an index' : 'without an index'}`, async () => {
    const { folder, directory } = await project()
    assert.equal(await isRecorded(directory), true)
    rmSync(join(directory, 'tile/entries/000'))
    writeFileSync(join(directory, 'minimum-index'), '256\n{"":256}\n')
    if (!withIndex) rmSync(join(directory, 'index.db'))
    assert.equal(await isRecorded(directory), false)
    const { code, stdout, stderr } = await inProcess(['audit', 'verify'], folder)
    assert.equal(code, 0, stderr)
    assert.match(
      stdout + stderr,
      /Missing: the first 256 entries, and no entry says that retention removed them/,
    )
  })

test('what retention removed is recorded, by itself or as an act of an operator, and no more than that', async () => {
  const { folder, directory } = await project()
  const reader = readAuditLog(directory)
  assert.deepEqual(await removeEntriesBefore(reader, 300), { minimumIndex: 256, bundles: 1 })
  reader.close()
  const enter = async (event: Parameters<Awaited<ReturnType<typeof openAuditLog>>['append']>[0]) => {
    const log = await openAuditLog({ directory, origin })
    await log.append(event)
    await log.close()
  }
  await enter({ type: 'audit.pruned', time: 700, actor: {}, data: { bundles: 0, minimumIndex: 0 } })
  assert.equal(await isRecorded(directory), false)
  await enter({ type: 'audit.pruned', time: 701, actor: {}, data: { bundles: 1, minimumIndex: 256 } })
  assert.equal(await isRecorded(directory), true)
  const { stdout, stderr } = await inProcess(['audit', 'verify'], folder)
  assert.match(stdout + stderr, /Retention removed the first 256 entries; the hashes are there/)
})

test('attack: after an operator has pruned, more is deleted and the mark moved further', async () => {
  const { folder, directory } = await project()
  const log = await openAuditLog({ directory, origin })
  for (let i = 0; i < 600; i++) log.record({ type: 'http', time: Date.now(), actor: {} })
  await log.close()
  const { code, stderr } = await inProcess(['audit', 'prune', '--keep', '1d', '--yes'], folder)
  assert.equal(code, 0, stderr)
  const outbox = new DatabaseSync(join(folder, '.postern/postern.db'), { readOnly: true })
  const waiting = outbox.prepare('SELECT event FROM audit_outbox ORDER BY id').all()
  outbox.close()
  const next = await openAuditLog({ directory, origin })
  for (const { event } of waiting) await next.append(JSON.parse(String(event)))
  await next.close()
  assert.equal(await isRecorded(directory), true)
  rmSync(join(directory, 'tile/entries/002'))
  writeFileSync(join(directory, 'minimum-index'), '768\n{"":768}\n')
  assert.equal(await isRecorded(directory), false)
})

test('that an operator meant to prune excuses nothing', async () => {
  const { directory } = await project()
  rmSync(join(directory, 'tile/entries/000'))
  writeFileSync(join(directory, 'minimum-index'), '256\n{"":256}\n')
  const log = await openAuditLog({ directory, origin })
  await log.append({
    type: 'operator',
    time: 700,
    actor: { principal: 'operator:ann' },
    action: 'audit.prune',
  })
  await log.close()
  assert.equal(await isRecorded(directory), false)
})

test('says how many entries wait for the tree, as after a crash', async () => {
  const { folder, directory } = await project()
  const log = await openAuditLog({ directory, origin, publishInterval: '1h' })
  try {
    for (let i = 0; i < 3; i++) await log.commit({ type: 'http', time: i, actor: {} })
    const { code, stderr } = await inProcess(['audit', 'verify'], folder)
    assert.equal(code, 0)
    assert.match(stderr, /^Written and not in the tree yet: 3 later entries;/m)
  } finally {
    await log.close()
  }
  const after = await inProcess(['audit', 'verify'], folder)
  assert.doesNotMatch(after.stderr, /not in the tree/)
})
