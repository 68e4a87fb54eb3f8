import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { disk } from '../src/files/file-layer.ts'

test('files and directories are synced where handles of node:fs/promises cannot, as under Yarn Plug’n’Play', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-file-layer-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const handle = await open(folder, 'r')
  const handles = Object.getPrototypeOf(handle) as typeof handle
  await handle.close()
  for (const name of ['sync', 'datasync'] as const)
    t.mock.method(handles, name, () => {
      throw new Error('Method not implemented.')
    })

  const path = join(folder, 'log')
  const file = await disk.openDurable(path)
  await file.write(Buffer.from('entry'), 0)
  await file.sync()
  await file.close()
  await disk.syncLater(path)
  await disk.syncLater(folder)
  assert.equal(readFileSync(path, 'utf8'), 'entry')
})

test('a file that is not there is an error of the disk, not a crash', async () => {
  await assert.rejects(disk.syncLater('/nothing/here'), { code: 'ENOENT' })
  await assert.rejects(disk.openDurable('/nothing/here'), { code: 'ENOENT' })
})
